const TEXT_SHOWN = 400; // characters of one message
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]+/gu;

/**
 * Foreign text in GitHub Flavored Markdown: on one line, cut, with nothing in it that Markdown, HTML or a table makes something of, so that a
 * name is no link, image or formula.
 */
export function markdown(text: string): string {
  const short = text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN)}…` : text;
  return short
    .replace(HIDDEN, ' ')
    .replace(/[\\`*_[\]|~!#@$]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('://', '\\://') // else an address becomes a link by itself
    .replace(/www\./gi, (found) => `${found.slice(0, 3)}\\.`);
}

export const code = (text: string): string => `<code>${markdown(text)}</code>`;
