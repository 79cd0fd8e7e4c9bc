import type { Outcome, Run } from "./measured-runs.ts";

// Started by measured-runs.ts, and small: the kernel counts the memory of the spawning process as the
// program's own. linux fs/exec.c exec_mmap()

process.on("message", async (run: Run) => {
  process.send?.({ id: run.id, ...(await carryOut(run)) });
});

async function carryOut({ deadlineMs, stdin, words }: Run): Promise<Outcome> {
  const child = Bun.spawn([...words], {
    stdin: stdin === undefined ? "ignore" : Bun.file(stdin),
    stdout: "pipe",
    stderr: "pipe",
    timeout: deadlineMs,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([
    beginning(child.stdout),
    beginning(child.stderr),
    child.exited,
  ]);
  const { cpuTime, maxRSS = Number.NaN } = child.resourceUsage() ?? {};
  return { exitCode: child.exitCode, stdout, stderr, cpuMs: Number(cpuTime?.total) / 1000, rssBytes: maxRSS };
}

/** Returns the beginning of a stream, which is enough for the tests. */
async function beginning(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) if (text.length < 65_536) text += decoder.decode(chunk, { stream: true });
  return text;
}
