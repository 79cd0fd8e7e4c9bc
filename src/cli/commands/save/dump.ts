import { SvirtError } from "../../../errors.ts";
import type { DumpWish } from "../../../plan/actions/stream.ts";
import { dumpDomain } from "../../../vm/save/dump-domain.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { VERBOSE_OPTION, withProgress } from "../../output/progress.ts";

/** Formats of virsh. QEMU decides whether it supports them. */
const FORMATS = ["elf", "kdump-zlib", "kdump-lzo", "kdump-snappy", "win-dmp"];
const SEEKING = ["kdump-raw-zlib", "kdump-raw-lzo", "kdump-raw-snappy"];

/** `svirt dump DOMAIN FILE` */
export const command: Command = {
  spec: {
    name: "dump",
    summary: "write a guest's memory to a file, to look for a fault in it",
    details: [
      "With --memory-only it is a core for crash or gdb; without, QEMU's own stream of the whole guest, as virsh dump makes",
      "it. The guest is stopped meanwhile and goes on afterwards. The file is root's and never has the guest's label.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND, { name: "file", summary: "where to write it" }],
    options: [
      { name: "live", summary: "do not stop the vCPUs; with --memory-only QEMU itself does" },
      { name: "crash", summary: "end the guest then" },
      { name: "reset", summary: "reset the guest then" },
      { name: "memory-only", summary: "the memory and the state of the vCPUs, as a core" },
      { name: "format", value: "format", summary: `of --memory-only: ${FORMATS.join(", ")}` },
      VERBOSE_OPTION,
      CRASH_OPTION,
    ],
  },
  async run(call) {
    const [path, wish, watch] = [operand(call, "file"), wishOf(call), crashDrill(call)];
    const { name } = await withProgress(call, "Dump", (onProgress) =>
      dumpDomain(call.node, operand(call, "domain"), { path, wish, watch, onProgress }),
    );
    call.output.print(`\nDomain '${name}' dumped to ${path}\n\n`);
    return undefined;
  },
};

function wishOf(call: Call): DumpWish {
  const how = onlyOne(call, ["live", "crash", "reset"]);
  const afterwards = new Map<unknown, DumpWish["afterwards"]>([
    ["crash", "end"],
    ["reset", "reset"],
  ]);
  return { format: formatOf(call), live: how === "live", afterwards: afterwards.get(how) ?? "go-on" };
}

function formatOf({ options }: Call): string | undefined {
  const format = options.get("format");
  if (options.has("memory-only")) return known(format ?? "elf");
  if (format === undefined) return undefined;
  throw refused("--format only works with --memory-only", "usage", "Write --memory-only as well.");
}

function known(format: string): string {
  if (FORMATS.includes(format)) return format;
  if (!SEEKING.includes(format)) {
    throw refused(`format '${format}' is not supported`, "usage", `Write one of ${FORMATS.join(", ")}.`);
  }
  const why = "QEMU would have to go back in the file, and it writes into a pipe";
  throw refused(`Cannot dump in the format ${format}: ${why}`, "unsupported", "Write --format kdump-zlib.");
}

function refused(message: string, kind: "usage" | "unsupported", remedy: string): SvirtError {
  return new SvirtError(message, { kind, remedy });
}
