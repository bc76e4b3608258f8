/** What the server wrote into the page. */
interface PageData {
  publicUrl: string;
  brandName?: string;
  brandUrl?: string;
  brandSupport?: string;
  /** BCP 47. */
  locale: string;
  /** Those that are on. */
  screens: string[];
  messages: Record<string, string>;
  /** By their codes. */
  problems: Record<string, string>;
}

export const data = JSON.parse(document.querySelector('#data')!.textContent) as PageData;

/** The path of PUBLIC_URL: empty, or such as `/identity`. */
export const basePath = new URL(data.publicUrl).pathname.replace(/\/$/, '');
