import * as v from "valibot";
import type { FirmwareDescriptor, FirmwareFeature } from "./built-in.ts";

const file = v.object({ filename: v.string(), format: v.string() });
const flash = v.object({
  device: v.literal("flash"),
  mode: v.optional(v.string(), "split"),
  executable: file,
  "nvram-template": v.optional(file),
});
const memory = v.object({ device: v.literal("memory"), filename: v.string() });
const description = v.object({
  "interface-types": v.array(v.string()),
  mapping: v.variant("device", [flash, memory]),
  targets: v.array(v.object({ architecture: v.string(), machines: v.array(v.string()) })),
  features: v.array(v.string()),
});
type Flash = v.InferOutput<typeof flash>;

const FEATURES: ReadonlySet<string> = new Set<FirmwareFeature>([
  "acpi-s3",
  "acpi-s4",
  "amd-sev",
  "amd-sev-es",
  "amd-sev-snp",
  "enrolled-keys",
  "requires-smm",
  "secure-boot",
]);

/**
 * Parses a descriptor of /usr/share/qemu/firmware. Returns undefined if it is not for an x86-64 PC, if svirt
 * could not load the firmware, or if the format differs. qemu.git docs/interop/firmware.json
 */
export function parseFirmware(text: string): FirmwareDescriptor | undefined {
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), description), text);
  if (!read.success) return undefined;
  const { features, mapping, targets } = read.output;
  const interfaces = read.output["interface-types"].filter((name) => name === "uefi" || name === "bios");
  const machines = targets.flatMap(({ architecture, machines: names }) =>
    architecture === "x86_64" ? names : [],
  );
  const layout =
    mapping.device === "flash"
      ? layOut(mapping)
      : ({ mode: "rom", format: "raw", path: mapping.filename } as const);
  if (layout === undefined || interfaces.length === 0 || machines.length === 0) return undefined;
  if (![layout.path, layout.template?.path ?? "/"].every((path) => path.startsWith("/"))) return undefined;
  return { ...layout, interfaces, machines, features: features.filter(isKnown) };
}

type Layout = Pick<FirmwareDescriptor, "format" | "mode" | "path" | "template">;

function layOut({ executable, mode, "nvram-template": variables }: Flash): Layout | undefined {
  if (!isFormat(executable.format)) return undefined;
  const code = { format: executable.format, path: executable.filename };
  if (mode === "combined" || mode === "stateless") return { ...code, mode };
  if (mode !== "split" || variables === undefined || !isFormat(variables.format)) return undefined;
  return { ...code, mode, template: { path: variables.filename, format: variables.format } };
}

function isFormat(name: string): name is "raw" | "qcow2" {
  return name === "raw" || name === "qcow2";
}

function isKnown(name: string): name is FirmwareFeature {
  return FEATURES.has(name);
}
