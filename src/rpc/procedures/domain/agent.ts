import { SvirtError } from "../../../errors.ts";
import { setResponseTimeout } from "../../../vm/agent/agent-timeout.ts";
import { getGuestTime, setGuestTime } from "../../../vm/guest-system/guest-clock.ts";
import {
  freezeFileSystems,
  listFileSystems,
  thawFileSystems,
  trimFileSystems,
} from "../../../vm/guest-system/guest-files.ts";
import { getGuestHostname } from "../../../vm/guest-system/guest-hostname.ts";
import { GUEST_FACTS, type GuestFact, getGuestInfo } from "../../../vm/guest-system/guest-info.ts";
import {
  changeAuthorizedKeys,
  listAuthorizedKeys,
  setUserPassword,
} from "../../../vm/guest-system/guest-users.ts";
import { array, hyper, int, struct, uhyper, uint } from "../../xdr/form.ts";
import { type TypedParameter, type TypedValue, typedParameter } from "../../xdr/typed-parameter.ts";
import { onlyOneOf } from "../impact.ts";
import {
  aboutDomain,
  aNumber,
  aText,
  domain,
  keyOf,
  maybeText,
  nothing,
  ofDomainWithFlags,
  text,
} from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";

/** VIR_DOMAIN_TIME_SYNC and VIR_DOMAIN_PASSWORD_ENCRYPTED of libvirt's libvirt-domain.h */
const [SYNC, ENCRYPTED] = [1, 1];
/** virDomainGetHostnameFlags */
const HOSTNAME = { lease: 1, agent: 2 };
/** virDomainAuthorizedSSHKeysSetFlags */
const KEYS = { append: 1, remove: 2 };
/**
 * REMOTE_DOMAIN_FSFREEZE_MOUNTPOINTS_MAX, REMOTE_DOMAIN_FSINFO_MAX and REMOTE_DOMAIN_FSINFO_DISKS_MAX of
 * remote_protocol.x
 */
const MOST_FILE_SYSTEMS = 256;
/** REMOTE_DOMAIN_GUEST_INFO_PARAMS_MAX and REMOTE_DOMAIN_AUTHORIZED_SSH_KEYS_MAX */
const MOST_ENTRIES = 2048;

const texts = (most: number) => array(text, most);
const mountpointArguments = struct({ dom: domain, mountpoints: texts(MOST_FILE_SYSTEMS), flags: uint });

/** Procedures that ask the agent in a guest. A connection for reading may call none of them. */
export const agentProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(277, "virDomainGetHostname"),
    args: ofDomainWithFlags,
    flags: { known: HOSTNAME.lease | HOSTNAME.agent, refusedBy: "qemuDomainGetHostname" },
    result: aText,
    async run(call) {
      const isLease =
        onlyOneOf(
          call.args.flags,
          [HOSTNAME.lease, "VIR_DOMAIN_GET_HOSTNAME_LEASE"],
          [HOSTNAME.agent, "VIR_DOMAIN_GET_HOSTNAME_AGENT"],
        ) === "first";
      return { value: await getGuestHostname(call.instance, keyOf(call), isLease ? "lease" : "agent") };
    },
  }),
  procedure({
    ...aboutDomain(337, "virDomainGetTime"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainGetTime" },
    result: struct({ seconds: hyper, nanoseconds: uint }),
    run: async (call) => await getGuestTime(call.instance, keyOf(call)),
  }),
  procedure({
    ...aboutDomain(338, "virDomainSetTime"),
    args: struct({ dom: domain, seconds: hyper, nanoseconds: uint, flags: uint }),
    flags: { known: SYNC, refusedBy: "qemuDomainSetTime" },
    result: nothing,
    async run(call) {
      const { flags, nanoseconds, seconds } = call.args;
      const time = (flags & SYNC) === 0 ? { seconds, nanoseconds } : "hardware";
      await setGuestTime(call.instance, keyOf(call), time);
      return {};
    },
  }),
  procedure({
    ...aboutDomain(349, "virDomainGetFSInfo"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainGetFSInfo" },
    result: struct({
      info: array(
        struct({ mountpoint: text, name: text, type: text, targets: texts(MOST_FILE_SYSTEMS) }),
        MOST_FILE_SYSTEMS,
      ),
      count: uint,
    }),
    async run(call) {
      const info = await listFileSystems(call.instance, keyOf(call));
      return { info, count: info.length };
    },
  }),
  procedure({
    ...aboutDomain(335, "virDomainFSFreeze"),
    args: mountpointArguments,
    flags: { known: 0, refusedBy: "qemuDomainFSFreeze" },
    result: aNumber,
    run: async (call) => ({
      value: await freezeFileSystems(call.instance, keyOf(call), call.args.mountpoints),
    }),
  }),
  procedure({
    ...aboutDomain(336, "virDomainFSThaw"),
    args: mountpointArguments,
    flags: { known: 0, refusedBy: "qemuDomainFSThaw" },
    result: aNumber,
    async run(call) {
      if (call.args.mountpoints.length > 0) throw unsupported("specifying mountpoints is not supported");
      return { value: await thawFileSystems(call.instance, keyOf(call)) };
    },
  }),
  procedure({
    ...aboutDomain(294, "virDomainFSTrim"),
    args: struct({ dom: domain, mountpoint: maybeText, minimum: uhyper, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainFSTrim" },
    result: nothing,
    async run(call) {
      const { minimum, mountpoint } = call.args;
      if (mountpoint !== undefined) throw unsupported("Specifying mount point is not supported for now");
      await trimFileSystems(call.instance, keyOf(call), minimum);
      return {};
    },
  }),
  procedure({
    ...aboutDomain(357, "virDomainSetUserPassword"),
    args: struct({ dom: domain, user: maybeText, password: maybeText, flags: uint }),
    flags: { known: ENCRYPTED, refusedBy: "qemuDomainSetUserPassword" },
    result: nothing,
    async run(call) {
      const { flags, password, user } = call.args;
      if (user === undefined) throw isNull("user");
      if (password === undefined) throw isNull("password");
      const isEncrypted = (flags & ENCRYPTED) !== 0;
      await setUserPassword(call.instance, keyOf(call), { user, password, isEncrypted });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(424, "virDomainAuthorizedSSHKeysGet"),
    args: struct({ dom: domain, user: text, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainAuthorizedSSHKeysGet" },
    result: struct({ keys: texts(MOST_ENTRIES) }),
    run: async (call) => ({
      keys: await listAuthorizedKeys(call.instance, keyOf(call), call.args.user),
    }),
  }),
  procedure({
    ...aboutDomain(425, "virDomainAuthorizedSSHKeysSet"),
    args: struct({ dom: domain, user: text, keys: texts(MOST_ENTRIES), flags: uint }),
    flags: { known: KEYS.append | KEYS.remove, refusedBy: "qemuDomainAuthorizedSSHKeysSet" },
    result: nothing,
    async run(call) {
      const { flags, keys, user } = call.args;
      const how = onlyOneOf(
        flags,
        [KEYS.append, "VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND"],
        [KEYS.remove, "VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE"],
      );
      const asked = how === "first" ? "append" : "remove";
      const change = how === undefined ? "reset" : asked;
      await changeAuthorizedKeys(call.instance, keyOf(call), { user, keys, change });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(420, "virDomainAgentSetResponseTimeout"),
    args: struct({ dom: domain, seconds: int, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainAgentSetResponseTimeout" },
    result: aNumber,
    async run(call) {
      await setResponseTimeout(call.instance, keyOf(call), call.args.seconds);
      return { value: 0 };
    },
  }),
  procedure({
    ...aboutDomain(418, "virDomainGetGuestInfo"),
    args: struct({ dom: domain, types: uint, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainGetGuestInfo" },
    result: struct({ params: array(typedParameter, MOST_ENTRIES) }),
    async run(call) {
      const { types } = call.args;
      const others = (types & ~(2 ** GUEST_FACTS.length - 1)) >>> 0;
      if (others !== 0)
        throw invalidArgument(
          `unsupported guest information types '0x${others.toString(16)}'`,
          "Ask for other types.",
        );
      const kinds = GUEST_FACTS.filter((_, bit) => (types & (1 << bit)) !== 0);
      return { params: (await getGuestInfo(call.instance, keyOf(call), kinds)).map(typedFact) };
    },
  }),
];

/** Types of numbers by their names. Documentation of virDomainGetGuestInfo() in libvirt's libvirt-domain.c */
const TYPES: readonly (readonly [name: RegExp, type: "int" | "double" | "ullong"])[] = [
  [/^timezone\.offset$/, "int"],
  [/^load\./, "double"],
  [/(?:\.login-time|-bytes)$/, "ullong"],
];

function typedFact([field, value]: GuestFact): TypedParameter {
  if (typeof value === "string") return { field, value: { type: "string", value } };
  if (typeof value === "boolean") return { field, value: { type: "boolean", value } };
  const type = TYPES.find(([name]) => name.test(field))?.[1] ?? "uint";
  const typed: TypedValue = type === "ullong" ? { type, value: BigInt(value) } : { type, value };
  return { field, value: typed };
}

function isNull(name: string): SvirtError {
  return invalidArgument(
    `${name} in virDomainSetUserPassword must not be NULL`,
    "Give a user and a password.",
    "DOMAIN",
  );
}

function unsupported(why: string): SvirtError {
  return new SvirtError(`argument unsupported: ${why}`, {
    kind: "unsupported",
    libvirt: "ARGUMENT_UNSUPPORTED",
    remedy: "Leave the mount point out.",
  });
}
