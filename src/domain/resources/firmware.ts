import type { Nvram } from "../machine/firmware.ts";
import type { Os } from "../machine/os.ts";
import { overrideOf } from "./disk.ts";
import type { FirmwareFile } from "./resource.ts";

/** Lists the template of the UEFI variables, if the XML names a template. svirt reads it, no guest does. */
export function listTemplates({ nvram }: Os): readonly string[] {
  return nvram?.template === undefined ? [] : [nvram.template];
}

/** Lists the files of the firmware. Variables on the network have none. */
export function listFirmwareFiles({ loader, nvram }: Os): readonly FirmwareFile[] {
  return [
    ...(loader?.path === undefined
      ? []
      : [
          {
            kind: "loader",
            path: loader.path,
            format: loader.format ?? "raw",
            access: loader.type === "pflash" && loader.readonly !== true ? "read-write" : "read-only",
            type: loader.type ?? "rom",
          } as const,
        ]),
    ...(nvram === undefined ? [] : listVariables(nvram)),
  ];
}

function listVariables(nvram: Nvram): readonly FirmwareFile[] {
  const place = placeOf(nvram);
  if (place === undefined) return [];
  const { format = "raw", template, templateFormat = "raw" } = nvram;
  return [
    {
      kind: "nvram",
      ...place,
      format,
      access: "read-write",
      template: template === undefined ? undefined : { path: template, format: templateFormat },
    },
  ];
}

function placeOf(nvram: Nvram) {
  switch (nvram.type) {
    case "path":
      if (nvram.path === undefined) return undefined;
      return { path: nvram.path, storage: "file", override: undefined } as const;
    case "file":
      return {
        path: nvram.source.file,
        storage: "file",
        override: overrideOf(nvram.source.seclabels),
      } as const;
    case "block":
      return {
        path: nvram.source.dev,
        storage: "block",
        override: overrideOf(nvram.source.seclabels),
      } as const;
    case "network":
      return undefined;
  }
}
