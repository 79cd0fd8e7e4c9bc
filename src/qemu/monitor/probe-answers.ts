import { formatQmpCommand, parseQmpLine, type QmpCommand } from "./qmp.ts";

/** Formats commands for QEMU's standard input. Their replies carry their places in the list. */
export function formatQuestions(commands: readonly QmpCommand[]): string {
  return commands.map(formatQmpCommand).join("");
}

/**
 * Returns the answers in the whole output of QEMU, by the places of their commands in the list. Throws
 * "failed".
 */
export function answersOf(output: string): ReadonlyMap<number, unknown> {
  const encoder = new TextEncoder();
  const answers = new Map<number, unknown>();
  for (const line of output.split("\n")) {
    const message = parseQmpLine(encoder.encode(line));
    if (message?.is === "return" && message.id !== undefined) answers.set(message.id, message.value);
  }
  return answers;
}
