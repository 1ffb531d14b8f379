/** Lines of a file that were joined to one text, and where each of them begins in it. */
export type JoinedLines = { text: string; /** Ascending. */ starts: { offset: number; line: number }[] };

/**
 * An instruction as a builder hands it to the shell: lines that end with the escape character are joined with nothing between them, comments
 * and empty lines within are left out, and what comes behind (the here-documents) keeps its lines.
 * https://docs.docker.com/reference/dockerfile/#format
 */
export function joinContinued(text: string, firstLine: number, escape: string): JoinedLines {
  const parts: string[] = [];
  const starts: JoinedLines['starts'] = [];
  let offset = 0;
  let continued = true;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (continued && index > 0 && /^\s*(?:#|$)/.test(line)) continue;
    const plain = line.trimEnd();
    const goesOn: boolean = continued && plain.endsWith(escape);
    const part = goesOn ? plain.slice(0, -1) : line;
    if (!continued) parts.push('\n');
    offset += continued ? 0 : 1;
    starts.push({ offset, line: firstLine + index });
    parts.push(part);
    offset += part.length;
    continued = goesOn;
  }
  return { text: parts.join(''), starts };
}

/** The line of the file on which the character at this offset stood. */
export function lineAt({ starts }: JoinedLines, offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]!.offset <= offset) low = middle;
    else high = middle;
  }
  return starts[low]?.line ?? 1;
}
