import { deflateRawSync } from 'node:zlib';
import {
  inputOf,
  named,
  text64,
  tokenOf,
  type Source,
  type Vector,
} from '#test/support/vectors/vector';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Other texts for the same bytes: letters whose last bits the bytes do not need (RFC 4648 §3.5). */
function respellings(part: string): string[] {
  const bytes = Buffer.from(part, 'base64url');
  return [...ALPHABET]
    .map((letter) => part.slice(0, -1) + letter)
    .filter((other) => other !== part && Buffer.from(other, 'base64url').equals(bytes));
}

/** A JSON text that says the same, whose base64url has more than one spelling. */
function loose(value: unknown): string {
  for (let text = JSON.stringify(value); ; text = `${text} `)
    if (respellings(text64(text)).length > 0) return text64(text);
}

/** Genuine tokens whose letters are not those of base64url in compact serialisation (RFC 7515 §2, §7.1). */
export function encodingVectors(source: Source): Vector[] {
  const input = inputOf(source);
  const signature = source.sign(input).toString('base64url');
  return named('invalid', {
    ...spellings(source, input, signature),
    ...surroundings(input, signature),
    ...segments(input, signature),
    ...serialisations(source, input, signature),
  });
}

function spellings(source: Source, input: string, signature: string): Record<string, string> {
  const { header, claims } = source;
  const signed = (each: string) => tokenOf(each, source.sign(each));
  const [head, payload] = input.split('.') as [string, string];
  const last = respellings(signature).map((each, i) => [
    `another spelling of the signature, ${i + 1}`,
    `${input}.${each}`,
  ]);
  return {
    ...(Object.fromEntries(last) as Record<string, string>),
    'another spelling of the header, signed': signed(`${respellings(loose(header))[0]}.${payload}`),
    'another spelling of the payload, signed': signed(`${head}.${respellings(loose(claims))[0]}`),
    'padding behind the header, signed': signed(`${head}=.${payload}`),
    'padding behind the payload, signed': signed(`${head}.${payload}=`),
    'padding behind each segment': `${head}=.${payload}=.${signature}=`,
    'padding behind the signature': `${input}.${signature}=`,
    'two of them': `${input}.${signature}==`,
    'the signature in base64': `${input}.++//${signature.slice(4)}`,
    'the header in base64, signed': signed(`${head.slice(0, -1)}+.${payload}`),
    'a letter missing at the end': `${input}.${signature.slice(0, -1)}`,
    'a letter that no byte begins with': `${input}.${signature}A`,
    'percent encoding': `${input}.${signature}%3D`,
  };
}

function surroundings(input: string, signature: string): Record<string, string> {
  const spaces = { space: ' ', newline: '\n', tab: '\t', 'carriage return': '\r\n', nul: '\0' };
  const more = {
    'no-break space': '\u00a0',
    'zero width space': '\u200b',
    'byte order mark': '\ufeff',
  };
  const entries = Object.entries({ ...spaces, ...more }).flatMap(([name, text]) => [
    [`a ${name} before`, `${text}${input}.${signature}`],
    [`a ${name} behind`, `${input}.${signature}${text}`],
    [`a ${name} behind a dot`, `${input}.${text}${signature}`],
    [`a ${name} in the signature`, `${input}.${signature.slice(0, 9)}${text}${signature.slice(9)}`],
    [`a ${name} in the header`, `${input.slice(0, 9)}${text}${input.slice(9)}.${signature}`],
  ]);
  return {
    ...(Object.fromEntries(entries) as Record<string, string>),
    quotes: `"${input}.${signature}"`,
    'letters of full width': `${input}.${signature.replace(/[a-z]/, 'ａ')}`,
    'a letter that ends in the same byte': `${input}.${String.fromCharCode(signature.charCodeAt(0) + 256)}${signature.slice(1)}`,
  };
}

function segments(input: string, signature: string): Record<string, string> {
  const [head, payload] = input.split('.') as [string, string];
  return {
    'no signature': `${input}.`,
    'no signature and no dot': input,
    'no payload': `${head}..${signature}`,
    'no header': `.${payload}.${signature}`,
    'dots only': '..',
    'no text': '',
    'one segment': head,
    'a fourth segment': `${input}.${signature}.`,
    'a segment before': `.${input}.${signature}`,
    'five segments': `${input}.${signature}.${payload}.${signature}`,
    'the payload twice': `${head}.${payload}.${payload}.${signature}`,
    'segments in another order': `${payload}.${head}.${signature}`,
    'commas in place of dots': `${input.replace('.', ',')},${signature}`,
    'the token twice': `${input}.${signature}${input}.${signature}`,
  };
}

function serialisations(source: Source, input: string, signature: string): Record<string, string> {
  const { header, claims } = source;
  const [head, payload] = input.split('.') as [string, string];
  const zipped = `${text64(JSON.stringify({ ...header, zip: 'DEF' }))}.${deflateRawSync(JSON.stringify(claims)).toString('base64url')}`;
  const flattened = { payload, protected: head, signature };
  const general = { payload, signatures: [{ protected: head, signature }] };
  const unprotected = { payload, header, signature };
  return {
    'flattened JSON serialisation': JSON.stringify(flattened),
    'general JSON serialisation': JSON.stringify(general),
    'an unprotected header': JSON.stringify(unprotected),
    'JSON serialisation in base64url': text64(JSON.stringify(flattened)),
    'a compressed payload': tokenOf(zipped, source.sign(zipped)),
    'an encrypted token': `${text64(JSON.stringify({ ...header, alg: 'dir', enc: 'A256GCM' }))}..${text64('initvector12')}.${payload}.${signature}`,
    'no JSON in the header': signed(source, text64('{"alg":'), payload),
    'no JSON in the payload': signed(source, head, text64('{"iss":')),
    'an empty payload': signed(source, head, text64('""')),
    'a payload that is a list': signed(source, head, text64(JSON.stringify([claims]))),
    'a payload that is null': signed(source, head, text64('null')),
    'a header that is a list': signed(source, text64(JSON.stringify([header])), payload),
    'a header that is null': signed(source, text64('null'), payload),
    'a header that is text': signed(
      source,
      text64(JSON.stringify(JSON.stringify(header))),
      payload,
    ),
    'a byte order mark in the payload': signed(
      source,
      head,
      text64(`\ufeff${JSON.stringify(claims)}`),
    ),
    'a header that is no UTF-8': signed(
      source,
      Buffer.concat([
        Buffer.from(JSON.stringify({ ...header, kid: 'k' }).replace('"k"', '"')),
        Buffer.from([0xff]),
        Buffer.from('"}'),
      ]).toString('base64url'),
      payload,
    ),
  };
}

const signed = (source: Source, head: string, payload: string) =>
  tokenOf(`${head}.${payload}`, source.sign(`${head}.${payload}`));
