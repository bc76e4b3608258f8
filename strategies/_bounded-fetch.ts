/** Largest answer that is read, in bytes. Key sets and documents of providers have a few thousand. */
const MAX_BYTES = 64 * 1024;

/**
 * Fetches a small document of a provider, whole. No redirect is followed: it could lead to a machine
 * of the private network.
 * @throws {Error} with the code `ERR_TOO_LARGE`; and what `fetch` throws, such as a TimeoutError
 */
export async function fetchBounded(
  url: Parameters<typeof fetch>[0],
  options?: RequestInit,
): Promise<Response> {
  const response = await fetch(url, { ...options, redirect: 'manual' });
  const { status, headers } = response;
  if (status !== 200) {
    await response.body?.cancel();
    return new Response(null, { status: status < 200 ? 502 : status });
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > MAX_BYTES)
      throw Object.assign(new Error('The answer is too large'), { code: 'ERR_TOO_LARGE' });
  }
  return new Response(Buffer.concat(chunks), { status, headers });
}
