import type { Key } from "../access/key.ts";
import { asSvirtError, type SvirtError } from "../errors.ts";
import type { LibvirtDomain } from "../virterror.ts";
import { recoverBefore } from "../vm/recover/recover-before.ts";
import {
  checkFlags,
  notOpen,
  type OpenedStream,
  type Procedure,
  partWith,
  protocolError,
  refuseUse,
  type Session,
} from "./procedures/procedure.ts";
import { PROCEDURES, QEMU_PROCEDURES } from "./procedures/table.ts";
import {
  formatPacket,
  PACKET_STATUS,
  PACKET_TYPE,
  type Packet,
  type PacketHeader,
  QEMU,
  REMOTE,
} from "./wire/packet.ts";
import { formatError } from "./wire/remote-error.ts";
import { unencodable } from "./xdr/bytes.ts";

/** Answered programs. */
const PROGRAMS = [
  { of: REMOTE, procedures: PROCEDURES },
  { of: QEMU, procedures: QEMU_PROCEDURES },
] as const;

/** Reply to a call, and its stream. */
export interface Answer {
  readonly reply: Uint8Array;
  readonly opened: OpenedStream | undefined;
}

/**
 * Loads the procedure of a call, as answerCall() needs it. Returns the error of an unloadable file. Never
 * throws.
 */
export async function loadProcedure({ procedure, program }: PacketHeader): Promise<SvirtError | undefined> {
  try {
    await PROGRAMS.find(({ of }) => of.program === program)?.procedures.load(procedure);
    return undefined;
  } catch (thrown) {
    return asSvirtError(thrown);
  }
}

/**
 * Carries out a call, and returns the packet of its reply. Never throws: a fault is an error of this call
 * alone.
 */
export async function answerCall(session: Session, { header, payload }: Packet): Promise<Answer> {
  const streams: OpenedStream[] = [];
  try {
    const result = await carryOut(session, { header, payload }, (opened) => void streams.push(opened));
    const reply = formatPacket(replyTo(header, PACKET_STATUS.ok), result);
    if (reply === undefined) throw unencodable();
    return { reply, opened: streams[0] };
  } catch (thrown) {
    for (const { stream } of streams) await stream.close();
    return errorAnswer(header, asSvirtError(thrown));
  }
}

/** Returns the reply to a failed call. */
export function errorAnswer(header: PacketHeader, error: SvirtError): Answer {
  const payload = formatError(error, partOf(header));
  // An error is shorter than any limit.
  const reply = formatPacket(replyTo(header, PACKET_STATUS.error), payload) ?? new Uint8Array();
  return { reply, opened: undefined };
}

/** Returns the part of libvirt that a call is about; undefined if it is about domains or unknown. */
function partOf({ procedure: number, program }: PacketHeader): LibvirtDomain | undefined {
  const known = PROGRAMS.find(({ of }) => of.program === program)?.procedures.find(number);
  if (known === undefined) return undefined;
  // cpu_conf.c of libvirt reads processors.
  return /^virConnect.*CPU$/.test(known.api) ? "CPU" : partWith(known.api);
}

function replyTo({ procedure, program, serial, version }: PacketHeader, status: number): PacketHeader {
  return { program, version, procedure, type: PACKET_TYPE.reply, serial, status };
}

async function carryOut(
  session: Session,
  { header, payload }: Packet,
  open: (opened: OpenedStream) => void,
): Promise<readonly Uint8Array[]> {
  const declared = findProcedure(header);
  const key = keyOf(session, declared);
  const call = declared.prepare(payload);
  refuseUse(key, declared.api);
  if (call.alsoUses !== undefined) refuseUse(key, call.alsoUses);
  if (declared.flags !== undefined) checkFlags(call.flags, declared.flags);
  const { instance } = session;
  const recovered = call.recovers === undefined ? undefined : await recoverBefore(instance, call.recovers);
  for (const problem of [...(recovered?.errors ?? []), ...(recovered?.kept ?? [])]) session.warn(problem);
  return await call.run({ session, instance, running: recovered?.running ?? [], open });
}

/**
 * Returns the procedure that a call names. Throws libvirt's errors, as libvirtd does.
 * virNetServerProgramDispatch() of libvirt
 */
function findProcedure({ procedure: number, program, status, version }: PacketHeader): Procedure {
  const known = PROGRAMS.find(({ of }) => of.program === program && of.version === version);
  // libvirt prints the number with a sign.
  if (known === undefined) throw protocolError(`Cannot find program ${program | 0} version ${version | 0}`);
  if (status !== PACKET_STATUS.ok) throw protocolError(`Unexpected message status ${status}`);
  const declared = known.procedures.find(number);
  if (declared === undefined) throw protocolError(`unknown procedure: ${number}`);
  return declared;
}

/**
 * Returns the key whose rights the connection has. Throws if it is not open, unless the procedure is for
 * that.
 */
function keyOf({ key, opened }: Session, { isBeforeOpen }: Procedure): Key {
  if (opened !== undefined) return opened.key;
  if (isBeforeOpen === true) return key;
  throw notOpen();
}
