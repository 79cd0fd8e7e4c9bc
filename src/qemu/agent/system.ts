import * as v from "valibot";
import type { Line } from "../monitor/line-buffer.ts";
import { malformed, parseAgentAnswer } from "./answer.ts";

// The guest writes the answers: each text has an end and no NUL, which would end it in C, and each list a
// maximum.

/** Maximum number of entries of a list: REMOTE_DOMAIN_GUEST_INFO_PARAMS_MAX of libvirt. */
const MOST_ENTRIES = 2048;

/** QEMU_GUEST_VCPU_MAX_ID of libvirt, minus 1. */
const MOST_VCPU_ID = 4095;

/** Text of the guest. It may have any other character, also such as move a terminal's cursor. */
const text = v.pipe(v.string(), v.maxLength(4096), v.regex(/^[^\0]*$/));
const whole = v.pipe(v.number(), v.integer());
const size = v.pipe(v.number(), v.integer(), v.minValue(0));
const list = <Of extends v.GenericSchema>(of: Of) => v.pipe(v.array(of), v.maxLength(MOST_ENTRIES));

/** A disk's place in the guest, and its names there. GuestDiskAddress */
const diskAddress = v.looseObject({
  "pci-controller": v.looseObject({ domain: whole, bus: whole, slot: whole, function: whole }),
  "bus-type": v.exactOptional(text),
  bus: whole,
  target: whole,
  unit: whole,
  serial: v.exactOptional(text),
  dev: v.exactOptional(text),
});
export type AgentDiskAddress = v.InferOutput<typeof diskAddress>;

const fileSystem = v.looseObject({
  name: text,
  mountpoint: text,
  type: text,
  disk: list(diskAddress),
  "total-bytes": v.exactOptional(size),
  "used-bytes": v.exactOptional(size),
});
export type AgentFileSystem = v.InferOutput<typeof fileSystem>;

const disk = v.looseObject({
  name: text,
  partition: v.boolean(),
  dependencies: v.exactOptional(list(text)),
  address: v.exactOptional(diskAddress),
  alias: v.exactOptional(text),
});
export type AgentDisk = v.InferOutput<typeof disk>;

const vcpu = v.looseObject({
  "logical-id": v.pipe(size, v.maxValue(MOST_VCPU_ID)),
  online: v.boolean(),
  "can-offline": v.exactOptional(v.boolean()),
});

/** Returns of the agent's commands. qemu.git qga/qapi-schema.json */
const RETURNS = {
  /** Nanoseconds since 1970, as exact as a number of JavaScript: to about 0.2 us. */
  "guest-get-time": v.pipe(v.number(), v.minValue(0), v.maxValue(2 ** 63)),
  "guest-get-host-name": v.looseObject({ "host-name": text }),
  "guest-get-timezone": v.looseObject({ zone: v.exactOptional(text), offset: whole }),
  "guest-get-osinfo": v.object(
    Object.fromEntries(
      ["id", "name", "pretty-name", "version", "version-id", "machine"]
        .concat("variant", "variant-id", "kernel-release", "kernel-version")
        .map((name) => [name, v.exactOptional(text)]),
    ),
  ),
  "guest-get-users": list(
    v.looseObject({
      user: text,
      domain: v.exactOptional(text),
      "login-time": v.pipe(v.number(), v.minValue(0)),
    }),
  ),
  "guest-get-fsinfo": list(fileSystem),
  "guest-get-disks": list(disk),
  "guest-get-vcpus": v.pipe(
    list(vcpu),
    v.check((all) => new Set(all.map((one) => one["logical-id"])).size === all.length),
  ),
  "guest-set-vcpus": size,
  "guest-get-load": v.looseObject({ load1m: v.number(), load5m: v.number(), load15m: v.number() }),
  "guest-ssh-get-authorized-keys": v.looseObject({ keys: list(text) }),
  "guest-fsfreeze-status": v.picklist(["thawed", "frozen"]),
  "guest-fsfreeze-freeze": size,
  "guest-fsfreeze-freeze-list": size,
  "guest-fsfreeze-thaw": size,
  "guest-fstrim": v.unknown(),
  "guest-shutdown": v.unknown(),
  "guest-set-time": v.unknown(),
  "guest-set-user-password": v.unknown(),
  "guest-ssh-add-authorized-keys": v.unknown(),
  "guest-ssh-remove-authorized-keys": v.unknown(),
} as const satisfies Readonly<Record<string, v.GenericSchema>>;

/** Command of the agent whose answer svirt reads. */
export type AgentCommand = keyof typeof RETURNS;
export type AgentReturn<Name extends AgentCommand> = v.InferOutput<(typeof RETURNS)[Name]>;

/**
 * Parses the answer to a command and returns its value. Throws "failed" with the agent's reason, or for an
 * answer in another form.
 */
export function parseReturn<Name extends AgentCommand>(line: Line, command: Name): AgentReturn<Name> {
  const { return: said } = v.parse(v.looseObject({ return: v.unknown() }), parseAgentAnswer(line, command));
  const form: v.GenericSchema = RETURNS[command];
  const parsed = v.safeParse(form, said);
  if (parsed.success) return parsed.output as AgentReturn<Name>;
  throw malformed(command, v.getDotPath(parsed.issues[0]) ?? "it");
}
