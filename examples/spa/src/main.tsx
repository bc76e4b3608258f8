import { createRoot } from 'react-dom/client';
import { SallyportProvider, useSession } from 'sallyport/react';
import { Account } from './Account';
import { client } from './client';
import { Proof } from './Proof';
import { SignIn } from './SignIn';
import './style.css';

function App() {
  const { status } = useSession();
  if (status === 'loading') return null;
  return (
    <main>
      {status === 'signed_in' ? <Account /> : <SignIn />}
      <Proof />
    </main>
  );
}

createRoot(document.getElementById('app')!).render(
  <SallyportProvider client={client}>
    <App />
  </SallyportProvider>,
);
