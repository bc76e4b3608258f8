import {
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  type PublicKeyCredentialRequestOptionsJSON as Options,
} from '@simplewebauthn/browser';

// All pages of a sign-in work without this. It adds what only a script can do: passkeys, and passwords that one can see.

/** A challenge is good for five minutes. */
const RENEW_MS = 4 * 60_000;

interface Asked {
  challengeToken?: string;
  publicKey: Options;
}

function addReveal(input: HTMLInputElement): void {
  const { show = '', hide = '' } = input.dataset;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'reveal';
  button.setAttribute('aria-controls', input.id);
  const say = (text: string) => (button.textContent = text);
  say(show);
  button.addEventListener('click', () => {
    const isHidden = input.type === 'password';
    input.type = isHidden ? 'text' : 'password';
    say(isHidden ? hide : show);
  });
  input.form?.addEventListener('submit', () => (input.type = 'password')); // browsers store passwords only
  input.parentElement?.append(button);
}

/** What a passkey is asked. What the page brought is renewed when it is too old. */
function asking(form: HTMLFormElement): () => Promise<Asked> {
  const { options = '', renew } = form.dataset;
  let asked = JSON.parse(options) as Asked;
  let askedAt = performance.now();
  return async () => {
    if (renew === undefined || performance.now() - askedAt < RENEW_MS) return asked;
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(renew, { method: 'POST', headers, body: '{}' });
    if (!answer.ok) return asked;
    [asked, askedAt] = [(await answer.json()) as Asked, performance.now()];
    return asked;
  };
}

function offerPasskey(form: HTMLFormElement): void {
  const ask = asking(form);
  let pressed = 0;
  let inField = false;
  form.hidden = false;

  async function prove(useBrowserAutofill: boolean): Promise<void> {
    const { challengeToken, publicKey } = await ask();
    if (useBrowserAutofill && pressed > 0) return; // the window of the browser is open
    const credential = await startAuthentication({ optionsJSON: publicKey, useBrowserAutofill });
    const fill = (name: string, value: string) => {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement) field.value = value;
    };
    fill('challengeToken', challengeToken ?? '');
    fill('credential', JSON.stringify(credential));
    form.submit();
  }
  /** In place of what was offered before, whose challenge may have run out. */
  const offerInField = () => void (inField && prove(true).catch(() => {}));

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    pressed++;
    /** Whoever closes the window of the browser stays on the page. */
    const goOn = () => --pressed === 0 && offerInField();
    prove(false).catch(goOn);
  });
  if (document.querySelector('input[autocomplete~="webauthn"]') === null) return;
  setInterval(offerInField, RENEW_MS);
  void browserSupportsWebAuthnAutofill().then((isSupported) => {
    inField = isSupported;
    offerInField();
  });
}

for (const input of document.querySelectorAll<HTMLInputElement>('input[data-show]'))
  addReveal(input);
const passkey = document.querySelector<HTMLFormElement>('form#passkey');
if (passkey && browserSupportsWebAuthn()) offerPasskey(passkey);
