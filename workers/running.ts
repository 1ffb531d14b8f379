/** Something that runs until it is closed; closing waits for what is under way, within seconds. */
export type Running = { close(): Promise<void> };
