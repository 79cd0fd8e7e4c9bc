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
 * sfdisk on the disk sda of makeScsiMachine(), with the partitions that the kernel has there. Its report has the form of sfdisk 2.41, and
 * its scripts those that this version accepted.
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
    machine.readOutput = () => this.#table();
    machine.runProgram = (words, input) => this.#change(words, input);
  }

  #table(): ProgramOutput {
    const partitiontable = { label: this.label, sectorsize: 512, partitions: this.parts };
    return { text: JSON.stringify({ partitiontable }) };
  }

  #change([, ...words]: readonly string[], input = ""): ProgramEnd {
    this.run.push([...words, input.trim()].join(" ").trim());
    if (!("code" in this.end) || this.end.code !== 0) return this.end;
    if (words.includes("--delete")) this.#remove(`/dev/sda${words.at(-1)}`);
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
    const name = node.slice("/dev/".length);
    this.#machine.files.remove(`/sys/devices/sda/${name}`);
    this.#machine.files.remove(node);
  }

  #add(input: string): void {
    const [, node = "", start = "", size = ""] = /^(\S+) : start=(\d+), size=(\d+)/.exec(input) ?? [];
    this.parts.push({ node, start: Number(start), size: Number(size), type: "A" });
    const name = node.slice("/dev/".length);
    const number = name.slice("sda".length);
    const { files } = this.#machine;
    const folder = `/sys/devices/sda/${name}`;
    files.putFolder(folder);
    for (const [file, text] of [
      ["partition", number],
      ["dev", `8:${number}`],
      ["start", start],
      ["size", size],
    ] as const)
      files.put(`${folder}/${file}`, "file", { bytes: new TextEncoder().encode(`${text}\n`) });
    files.put(`/sys/dev/block/8:${number}`, "symlink", { target: folder });
    files.put(node, "block", { node: `8:${number}`, bytes: new Uint8Array(512 * Number(size)) });
  }
}
