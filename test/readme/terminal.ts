/** A program at a terminal of its own, to which lines are typed as a person would. */
export interface Terminal {
  /** Types the line, waits for the next prompt and gives what was printed between. Throws after 60 s. */
  type(line: string): Promise<string>;
  /** Ends it by `exit`. */
  end(): Promise<void>;
}

const PATIENCE_MS = 60_000;

/** Runs a command line by bash at a terminal, and gives it when its shell has the prompt that is asked for. */
export async function openTerminal(commandLine: string, prompt: string): Promise<Terminal> {
  let seen = "";
  const decoder = new TextDecoder();
  const child = Bun.spawn(["bash", "-c", commandLine], {
    env: { ...process.env, TERM: "dumb" },
    terminal: {
      // Wider than any line: the shell's own editor breaks the line that is typed.
      cols: 1000,
      rows: 50,
      data: (_terminal, bytes) => {
        seen += decoder.decode(bytes, { stream: true });
      },
    },
  });
  const type = async (line: string, until: string): Promise<string> => {
    seen = "";
    child.terminal?.write(`${line}\n`);
    return await waitUntil(() => {
      // Busybox asks where the cursor is, behind each prompt.
      const plain = seen.replaceAll("\u001b[6n", "").replaceAll("\r", "");
      return plain.endsWith(until) ? plain.slice(plain.indexOf("\n") + 1, -until.length) : undefined;
    }, `no prompt after ${line}: ${seen}`);
  };
  // The quotes keep its echo from being taken for the prompt.
  await type(`PS1='${prompt.slice(0, 2)}''${prompt.slice(2)}'`, prompt);
  return {
    type: async (line) => await type(line, prompt),
    end: async () => {
      child.terminal?.write("exit\n");
      await child.exited;
    },
  };
}

async function waitUntil(look: () => string | undefined, otherwise: string): Promise<string> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const found = look();
    if (found !== undefined) return found;
    await Bun.sleep(20);
  }
  throw new Error(otherwise);
}
