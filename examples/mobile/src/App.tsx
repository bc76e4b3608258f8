import { useEffect, useState } from 'react';
import { Button, SafeAreaView, StyleSheet, Text, TextInput, useColorScheme } from 'react-native';
import type { Result } from 'sallyport/client';
import { SallyportProvider, useClient, useSession } from 'sallyport/react';
import { client, onQuestion, start, type Question } from './session';

export function App() {
  const [isReady, setReady] = useState(false);
  useEffect(() => void start().finally(() => setReady(true)), []);
  if (!isReady) return null;
  return (
    <SallyportProvider client={client}>
      <Screen />
    </SallyportProvider>
  );
}

function Screen() {
  const { status } = useSession();
  const [question, setQuestion] = useState<Question | null>(null);
  useEffect(() => onQuestion(setQuestion), []);
  if (status === 'loading') return null;
  return (
    <SafeAreaView style={styles.page}>
      {question && <Proof question={question} />}
      {!question && (status === 'signed_in' ? <Account /> : <SignIn />)}
    </SafeAreaView>
  );
}

function SignIn() {
  const client = useClient();
  const [identifier, setIdentifier] = useState('');
  const [password, setPassword] = useState('');
  const [alert, setAlert] = useState('');
  const run = async (task: Promise<Result<unknown>>) => {
    const answer = await task;
    setAlert(answer.ok ? '' : answer.body.title);
  };
  return (
    <>
      <Field label="Username" value={identifier} onChange={setIdentifier} />
      <Field label="Password" value={password} onChange={setPassword} isSecret />
      {alert !== '' && <Line text={alert} />}
      <Button title="Sign in" onPress={() => run(client.signIn({ identifier, password }))} />
      <Button
        title="Sign up"
        onPress={() => run(client.signUp({ username: identifier, password }))}
      />
    </>
  );
}

function Account() {
  const client = useClient();
  const { user } = useSession();
  return (
    <>
      <Line text={`Hello ${user?.name ?? user?.username ?? user?.email}`} />
      <Button title="Sign out" onPress={() => client.signOut()} />
    </>
  );
}

function Proof({ question: { problem, wrong, answer } }: { question: Question }) {
  const [text, setText] = useState('');
  const isPassword = problem.action === 'step_up' && !problem.acrValues;
  const proof = () => {
    if (isPassword) return { password: text };
    return /^[\d ]+$/.test(text) ? { code: text } : { recoveryCode: text };
  };
  return (
    <>
      <Line text={isPassword ? 'Your password again' : 'Code of your app, or recovery code'} />
      {wrong && <Line text="That was not right." />}
      <Field label="" value={text} onChange={setText} isSecret={isPassword} />
      <Button title="Go on" onPress={() => answer(proof())} />
      <Button title="Cancel" onPress={() => answer(null)} />
    </>
  );
}

const useInk = () => ({ color: useColorScheme() === 'dark' ? '#e8eaed' : '#1c2024' });
const Line = ({ text }: { text: string }) => <Text style={[styles.line, useInk()]}>{text}</Text>;

interface FieldProps {
  label: string;
  value: string;
  onChange: (text: string) => void;
  isSecret?: boolean;
}
const Field = ({ label, value, onChange, isSecret = false }: FieldProps) => (
  <TextInput
    style={[styles.field, useInk()]}
    accessibilityLabel={label}
    placeholder={label}
    autoCapitalize="none"
    value={value}
    onChangeText={onChange}
    secureTextEntry={isSecret}
  />
);

const styles = StyleSheet.create({
  page: { flex: 1, padding: 24, gap: 12, justifyContent: 'center' },
  line: { fontSize: 18 },
  field: { borderWidth: 1, borderColor: '#8a94a0', borderRadius: 8, padding: 12, fontSize: 16 },
});
