/** Program at its own terminal, with lines typed as by a person. */
export interface Terminal {
  /** Types the line, waits for the next prompt and returns the output between. Throws after 180 s. */
  type(line: string): Promise<string>;
  /** Ends the program by `exit`. */
  end(): Promise<void>;
}

const PATIENCE_MS = 180_000;

/** Runs a command line by bash at a terminal. Resolves when its shell shows the given prompt. */
export async function openTerminal(commandLine: string, prompt: string): Promise<Terminal> {
  let seen = "";
  const decoder = new TextDecoder();
  const child = Bun.spawn(["bash", "-c", commandLine], {
    env: { ...process.env, TERM: "dumb" },
    terminal: {
      // Wider than any line: the shell's editor wraps a typed line.
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
      // Busybox asks for the cursor's position after each prompt.
      const plain = seen.replaceAll("\u001b[6n", "").replaceAll("\r", "");
      return plain.endsWith(until) ? plain.slice(plain.indexOf("\n") + 1, -until.length) : undefined;
    }, `no prompt after ${line}: ${seen}`);
  };
  // The quotes make the echo of each line differ from its prompt. The first prompt is none that the shell has
  // by itself: the line may be typed before the shell reads lines, which then shows it twice.
  await type("PS1='now''-reading> '", "now-reading> ");
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
