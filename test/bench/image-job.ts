/** Arguments of a QEMU without a machine, which only has block devices. */
const QEMU = [
  ...["qemu-system-x86_64", "-machine", "none", "-nodefaults", "-no-user-config", "-display", "none"],
  ...["-S", "-qmp", "stdio"],
];

/** Message of QMP, as far as a job needs it. */
interface Message {
  readonly error?: { readonly desc: string };
  readonly event?: string;
  readonly data?: { readonly status?: string };
  readonly return?: unknown;
}

/** Returns the processor time of a program and its children, in ms. Throws with its messages if it fails. */
export function spawnedCpuMs(words: readonly string[]): number {
  const { exitCode, resourceUsage, stderr } = Bun.spawnSync([...words], { stdout: "ignore" });
  if (exitCode !== 0) throw new Error(`${words.join(" ")} failed: ${stderr.toString()}`);
  return Number(resourceUsage.cpuTime.total) / 1000;
}

/**
 * Returns the processor time of a QEMU that carries out commands of QMP and ends, in ms. Throws for a command
 * that fails.
 */
export async function qemuCpuMs(commands: readonly object[], isJob: boolean): Promise<number> {
  const qemu = Bun.spawn(QEMU, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const messages = readMessages(qemu.stdout);
  const send = async (command: object): Promise<void> => {
    qemu.stdin.write(`${JSON.stringify(command)}\n`);
    await qemu.stdin.flush();
    await untilMessage(messages, (one) => "return" in one);
  };
  await send({ execute: "qmp_capabilities" });
  for (const command of commands) await send(command);
  if (isJob) {
    // Asked, since the job may have ended before its command was answered.
    while (!(await isConcluded(qemu.stdin, messages))) await Bun.sleep(5);
    await send({ execute: "job-dismiss", arguments: { id: "job" } });
  }
  await send({ execute: "quit" });
  await qemu.exited;
  return Number(qemu.resourceUsage()?.cpuTime.total ?? 0) / 1000;
}

/** Reports whether the job has ended. Throws if it has failed. */
async function isConcluded(
  stdin: { write(text: string): unknown; flush(): unknown },
  messages: AsyncGenerator<Message>,
): Promise<boolean> {
  stdin.write(`${JSON.stringify({ execute: "query-jobs" })}\n`);
  await stdin.flush();
  const { return: jobs } = await untilMessage(messages, (one) => "return" in one);
  const [job] = jobs as { readonly status: string; readonly error?: string }[];
  if (job?.error !== undefined) throw new Error(job.error);
  return job?.status === "concluded";
}

async function untilMessage(
  messages: AsyncGenerator<Message>,
  isMeant: (message: Message) => boolean,
): Promise<Message> {
  for (;;) {
    const { done, value } = await messages.next();
    if (done === true) throw new Error("QEMU has ended");
    if (value.error !== undefined) throw new Error(value.error.desc);
    if (isMeant(value)) return value;
  }
}

async function* readMessages(stream: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  let text = "";
  for await (const bytes of stream) {
    text += new TextDecoder().decode(bytes);
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as Message;
  }
}

/** Returns the median of some numbers. */
export function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
