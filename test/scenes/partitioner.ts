import type { ProgramEnd, ProgramOutput } from "../../src/host/processes.ts";
import type { Machine } from "../memory-host/machine.ts";

/** Partition of a disk in memory, in sectors. */
interface Part {
  readonly node: string;
  readonly start: number;
  readonly size: number;
  readonly type: string;
}

/**
 * sfdisk on the disk sda of makeScsiMachine(), with the partitions that the kernel has there. Its report has
 * the form of sfdisk 2.41, and its scripts those that this version accepted.
 */
export class MemorySfdisk {
  readonly run: string[] = [];
  label = "gpt";
  parts: Part[] = [
    { node: "/dev/sda1", start: 2048, size: 1024, type: "A" },
    { node: "/dev/sda5", start: 3074, size: 512, type: "A" },
  ];
  end: ProgramEnd = { code: 0, errors: "" };
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
    // An extended partition, which no table of type gpt has.
    this.#hide("/dev/sda2");
    machine.readOutput = () => this.#table();
    machine.runProgram = (words, input) => this.#change(words, input);
  }

  #table(): ProgramOutput {
    const partitiontable = { label: this.label, sectorsize: 512, partitions: this.parts };
    return { text: JSON.stringify({ partitiontable }) };
  }

  /** Whether the kernel does not read the table again, since a partition is in use. */
  isBusy = false;

  #change([program = "", ...words]: readonly string[], input = ""): ProgramEnd {
    this.run.push([...words, input.trim()].join(" ").trim());
    if (!("code" in this.end) || this.end.code !== 0) return this.end;
    if (program.endsWith("/partx")) this.#tellKernel(words);
    else if (words.includes("--delete")) this.#remove(`/dev/sda${words.at(-1)}`);
    else if (words.includes("--append")) this.#add(input);
    else this.#clear(input);
    return this.end;
  }

  #clear(input: string): void {
    this.label = /label: (\w+)/.exec(input)?.[1] ?? "";
    this.#machine.files.get("/dev/sda").bytes.set([0x55, 0xaa], 510);
    for (const { node } of [...this.parts]) this.#remove(node);
  }

  #remove(node: string): void {
    this.parts = this.parts.filter((part) => part.node !== node);
    if (!this.isBusy) this.#hide(node);
  }

  #tellKernel([act, , number]: readonly string[]): void {
    const node = `/dev/sda${number}`;
    const part = this.parts.find((one) => one.node === node);
    if (act === "--delete") this.#hide(node);
    else if (part !== undefined) this.#show(part);
  }

  #hide(node: string): void {
    const name = node.slice("/dev/".length);
    this.#machine.files.remove(`/sys/devices/sda/${name}`);
    this.#machine.files.remove(node);
  }

  #add(input: string): void {
    const [, node = "", start = "", size = ""] = /^(\S+) : start=(\d+), size=(\d+)/.exec(input) ?? [];
    const part = { node, start: Number(start), size: Number(size), type: "A" };
    this.parts.push(part);
    if (!this.isBusy) this.#show(part);
  }

  #show({ node, size, start }: Part): void {
    const name = node.slice("/dev/".length);
    const number = name.slice("sda".length);
    const { files } = this.#machine;
    const folder = `/sys/devices/sda/${name}`;
    files.putFolder(folder);
    for (const [file, text] of [
      ["partition", number],
      ["dev", `8:${number}`],
      ["start", String(start)],
      ["size", String(size)],
    ] as const)
      files.put(`${folder}/${file}`, "file", { bytes: new TextEncoder().encode(`${text}\n`) });
    files.put(`/sys/dev/block/8:${number}`, "symlink", { target: folder });
    const bytes = new Uint8Array(512 * size);
    bytes.set(files.get("/dev/sda").bytes.subarray(512 * start, 512 * (start + size)));
    files.put(node, "block", { node: `8:${number}`, bytes });
  }
}
