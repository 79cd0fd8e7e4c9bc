import { SvirtError } from "../../../errors.ts";
import { restoreDomain } from "../../../vm/save/restore-domain.ts";
import { managedSaveDomain, saveDomain } from "../../../vm/save/save-domain.ts";
import { array, struct, uint } from "../../xdr/form.ts";
import { type TypedParameter, typedParameter } from "../../xdr/typed-parameter.ts";
import { aboutDomain, domain, keyOf, nothing } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";
import { absolute, bytesOf, resumesOf, SAVE_FLAGS } from "./saving.ts";

/** REMOTE_DOMAIN_SAVE_PARAMS_MAX of libvirt's remote_protocol.x */
const MOST_PARAMETERS = 64;
/** VIR_DOMAIN_SAVE_PARAM_FILE and VIR_DOMAIN_SAVE_PARAM_DXML of libvirt's libvirt-domain.h */
const [FILE, XML] = ["file", "dxml"] as const;

/** Procedures saving and restoring the state of a domain, with named parameters. */
export const saveParamsProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(440, "virDomainSaveParams"),
    args: struct({ dom: domain, params: array(typedParameter, MOST_PARAMETERS), flags: uint }),
    flags: { known: SAVE_FLAGS, refusedBy: "qemuDomainSaveParams" },
    result: nothing,
    async run(call) {
      const { file, xml } = valuesIn(call.args.params);
      const options = { resumes: resumesOf(call.args.flags), xml };
      if (file === undefined) await managedSaveDomain(call.instance, keyOf(call), options);
      else await saveDomain(call.instance, keyOf(call), { ...options, path: absolute(file) });
      return {};
    },
  }),
  procedure({
    number: 441,
    api: "virDomainRestoreParams",
    recovers: () => [],
    args: struct({ params: array(typedParameter, MOST_PARAMETERS), flags: uint }),
    flags: { known: SAVE_FLAGS, refusedBy: "qemuDomainRestoreInternal" },
    result: nothing,
    async run({ args, instance }) {
      const { file, xml } = valuesIn(args.params);
      if (file === undefined)
        throw invalidArgument("missing path to restore from", "Name the file of the saved domain.");
      await restoreDomain(instance, absolute(file), { resumes: resumesOf(args.flags), xml });
      return {};
    },
  }),
];

interface SaveValues {
  readonly file: string | undefined;
  readonly xml: Uint8Array | undefined;
}

/**
 * Returns the parameters' values. Throws "usage" as virTypedParamsValidate() of libvirt for others, and for
 * two of a name.
 */
function valuesIn(params: readonly TypedParameter[]): SaveValues {
  const values = new Map<string, string>();
  for (const { field, value } of params) {
    if ((field !== FILE && field !== XML) || value.type !== "string" || values.has(field))
      throw notSupported(field);
    values.set(field, value.value);
  }
  return { file: values.get(FILE), xml: bytesOf(values.get(XML)) };
}

function notSupported(field: string): SvirtError {
  return new SvirtError(`argument unsupported: parameter '${field}' not supported`, {
    kind: "usage",
    libvirt: "ARGUMENT_UNSUPPORTED",
    remedy: "Give file and dxml, each once: svirt writes and reads one format.",
  });
}
