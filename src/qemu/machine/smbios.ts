import type { Sysinfo } from "../../domain/machine/sysinfo.ts";
import { type Arguments, escapeCommas, jsonArguments, keyValues } from "../argument/argument.ts";
import { type Launch, passedName } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, hostDependent } from "../refusal.ts";

type Smbios = Extract<Sysinfo, { readonly type: "smbios" }>;

/** Entries of each table, in libvirt's order. */
const NAMES = {
  bios: ["vendor", "version", "date", "release"],
  system: ["manufacturer", "product", "version", "serial", "uuid", "sku", "family"],
  board: ["manufacturer", "product", "version", "serial", "asset", "location"],
  chassis: ["manufacturer", "version", "serial", "asset", "sku"],
} as const;

/** Formats -smbios for the tables in the XML. qemuBuildSmbiosCommandLine() of libvirt */
export function formatSmbios({ domain }: Guest): Arguments {
  const mode = domain.os.smbios?.mode ?? "emulate";
  if (mode === "emulate") return [];
  if (mode === "host") {
    const why = "svirt does not copy the host's SMBIOS tables";
    throw cannotTranslate("/domain/os/smbios/@mode", why, "Write mode='sysinfo' and <sysinfo>.");
  }
  const found = domain.sysinfos.find((sysinfo) => sysinfo.type === "smbios");
  if (found !== undefined) return formatTables(found);
  const why = "the domain has no <sysinfo type='smbios'>";
  throw cannotTranslate("/domain/os/smbios/@mode", why, "Write that element, or leave <smbios> out.");
}

/** Formats -fw_cfg for entries readable to the guest's firmware. qemuBuildSysinfoCommandLine() of libvirt */
export function formatFwcfg({ domain }: Guest, launch: Launch | undefined): Arguments {
  return domain.sysinfos.flatMap((sysinfo) => {
    if (sysinfo.type !== "fwcfg") return [];
    return sysinfo.entries.flatMap(({ name, file, value }) => {
      refuseMarkup(file ?? value ?? "");
      if (file === undefined) return ["-fw_cfg", `name=${name},string=${value}`];
      const wanted = { path: file, purpose: "boot-file", access: "read-only" } as const;
      return ["-fw_cfg", `name=${name},file=${passedName(launch, wanted)}`];
    });
  });
}

/** Formats -device by which a guest detects its copies. qemuBuildVMGenIDCommandLine() of libvirt */
export function formatGenid({ domain: { genid } }: Guest): Arguments {
  if (genid === "") {
    throw hostDependent("/domain/genid", "the UUID is generated at the definition", "Write the UUID.");
  }
  return genid === undefined
    ? []
    : jsonArguments("-device", { driver: "vmgenid", guid: genid, id: "vmgenid0" });
}

// libvirt escapes these characters as in XML, and QEMU takes the escapes literally.
function refuseMarkup(text: string): void {
  if (!/[<>&'",]/.test(text)) return;
  const why = "QEMU would receive another text, since the value has markup, quotes or commas";
  throw cannotTranslate(
    "/domain/sysinfo[@type='fwcfg']/entry",
    why,
    "Write the text into a file, and name that file.",
  );
}

function formatTables({ bios, system, baseBoards, chassis, oemStrings }: Smbios): Arguments {
  const [board, other] = baseBoards;
  if (other !== undefined) {
    throw cannotTranslate(
      "/domain/sysinfo/baseBoard[2]",
      "QEMU supports only one <baseBoard>",
      "Leave it out.",
    );
  }
  const strings = (oemStrings?.entries ?? []).map(({ value }) => `,value=${escapeCommas(value)}`);
  return [
    ...formatTable(0, bios, NAMES.bios),
    ...formatTable(1, system, NAMES.system),
    ...formatTable(2, addMaker(board), NAMES.board),
    ...formatTable(3, addMaker(chassis), NAMES.chassis),
    ...(oemStrings === undefined ? [] : ["-smbios", `type=11${strings.join("")}`]),
  ];
}

interface Table {
  readonly entries: readonly { readonly name: string; readonly value: string }[];
}

function formatTable(type: number, table: Table | undefined, names: readonly string[]): Arguments {
  if (table === undefined) return [];
  const textOf = (name: string): string | undefined =>
    table.entries.find((entry) => entry.name === name)?.value;
  return ["-smbios", keyValues([["type", type], ...names.map((name) => [name, textOf(name)] as const)])];
}

/** libvirt writes an empty manufacturer if there is none. qemuBuildSmbiosBaseBoardStr() */
function addMaker(table: Table | undefined): Table | undefined {
  if (table === undefined || table.entries.some(({ name }) => name === "manufacturer")) return table;
  return { entries: [...table.entries, { name: "manufacturer", value: "" }] };
}
