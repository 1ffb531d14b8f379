export type ServerEvent = { event: string; data: string; id?: string };

/** https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, as far as this service uses it. */
export async function* eventsOf(body: ReadableStream<Uint8Array> | null | undefined): AsyncGenerator<ServerEvent> {
  if (body === null || body === undefined) return;
  let rest = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map<string, string>();
      for (const line of block.split('\n')) {
        const [, name = '', value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
        if (name !== '') fields.set(name, value);
      }
      const data = fields.get('data');
      const id = fields.get('id');
      if (data !== undefined) yield { event: fields.get('event') ?? 'message', data, ...(id === undefined ? {} : { id }) };
    }
  }
}
