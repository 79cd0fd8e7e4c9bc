import { IOTUNE_PARAMETERS, type Iotune } from "../../../domain/edits/iotune.ts";
import { changeDiskLimits, readDiskLimits } from "../../../vm/tuning/disk-limits.ts";
import { array, int, struct, uint } from "../../xdr/form.ts";
import { type TypedParameter, type TypedValue, typedParameter } from "../../xdr/typed-parameter.ts";
import { askOf, IMPACT_FLAGS, readAskOf } from "../impact.ts";
import { aboutDomain, domain, maybeText, nothing, text } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";
import { roomFor, valuesOf } from "./parameters.ts";

/** REMOTE_DOMAIN_BLOCK_IO_TUNE_PARAMETERS_MAX of libvirt's remote_protocol.x */
const MOST = 32;
/**
 * VIR_TYPED_PARAM_STRING_OKAY of libvirt's libvirt-common.h, with the flags that select a form of the domain.
 */
const READ_FLAGS = IMPACT_FLAGS | 4;

const parameters = array(typedParameter, MOST);
const TYPES: ReadonlyMap<string, TypedValue["type"]> = new Map(
  IOTUNE_PARAMETERS.map(([name, key]) => [name, key === "groupName" ? "string" : "ullong"]),
);

/** Procedures showing and setting the limits of a disk. */
export const diskLimitProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(252, "virDomainSetBlockIoTune"),
    args: struct({ dom: domain, disk: text, params: parameters, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainSetBlockIoTune" },
    result: nothing,
    async run(call) {
      const { disk, flags, params } = call.args;
      const given = valuesOf(params, TYPES);
      const limits: Partial<Iotune> = Object.fromEntries(
        IOTUNE_PARAMETERS.flatMap(([name, key]) => {
          const value = given.get(name);
          return value === undefined ? [] : [[key, value]];
        }),
      );
      await changeDiskLimits(call.instance, askOf(call, flags), { disk, limits });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(253, "virDomainGetBlockIoTune"),
    args: struct({ dom: domain, disk: maybeText, count: int, flags: uint }),
    flags: { known: READ_FLAGS, refusedBy: "qemuDomainGetBlockIoTune" },
    result: struct({ params: parameters, count: int }),
    run(call) {
      const { count, disk, flags } = call.args;
      const most = roomFor(count, MOST);
      const ask = readAskOf(call, flags);
      if (most === 0) return { params: [], count: IOTUNE_PARAMETERS.length };
      if (disk === undefined) throw invalidArgument("disk is missing", "Name a disk.");
      const limits = readDiskLimits(call.instance, ask, disk);
      const params = IOTUNE_PARAMETERS.map(([field, key]): TypedParameter => {
        if (key === "groupName") return { field, value: { type: "string", value: limits.groupName ?? "" } };
        return { field, value: { type: "ullong", value: BigInt(limits[key] ?? 0) } };
      });
      return { params: params.slice(0, most), count: 0 };
    },
  }),
];
