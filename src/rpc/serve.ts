import type { Key } from "../access/key.ts";
import { asSvirtError, type OnRefused, type SvirtError } from "../errors.ts";
import type { ByteStream } from "../host/channels.ts";
import type { Instance } from "../state/instance.ts";
import { Memory } from "../state/memory.ts";
import { answerCall, errorAnswer, loadProcedure } from "./answer-call.ts";
import { ClientCalls, closesConnection, isLarge } from "./client-calls.ts";
import type { EventMessage } from "./procedures/events/event-message.ts";
import { Subscriptions } from "./procedures/events/subscriptions.ts";
import type { Session } from "./procedures/procedure.ts";
import { OpenStreams } from "./streams/open-streams.ts";
import { checkUri } from "./uri.ts";
import {
  formatPacket,
  PACKET_STATUS,
  PACKET_TYPE,
  type Packet,
  type PacketHeader,
  REMOTE,
} from "./wire/packet.ts";
import { readPackets } from "./wire/read-packets.ts";

/**
 * Program by which client and server ask each other whether they live. KEEPALIVE_PROGRAM of libvirt's
 * virkeepaliveprotocol.x
 */
const KEEPALIVE = { program: 0x6b_65_65_70, version: 1, ping: 1, pong: 2 };

/** Connection of a client, with its rights. */
export interface Served {
  readonly instance: Instance;
  /** URI in the client's command; empty: any. */
  readonly uri: string;
  readonly isForReading: boolean;
  warn(error: SvirtError | string): void;
}

/**
 * Answers the client at standard input and output in libvirt's remote protocol until it closes the
 * connection, and then waits for its remaining calls. Throws for a URI of another hypervisor, and "failed"
 * for bytes other than packets.
 */
export async function serveClient({ instance, isForReading, uri, warn }: Served): Promise<void> {
  checkUri(instance, uri);
  const stream = await instance.host.openCaller();
  const send = inTurn(stream, warn);
  const sendAll = async (messages: readonly EventMessage[]): Promise<void> =>
    await send(Buffer.concat(messages.map(eventPacket)));
  const events = new Subscriptions({ instance, send: sendAll, warn });
  let hasLeft = false;
  const session: Session = {
    instance: { ...instance, memory: new Memory(), hasCallerLeft: () => hasLeft },
    key: isForReading ? "read-only" : keyOf(instance),
    events,
    streams: 0,
    warn,
    onDamaged: oncePerMessage(warn),
  };
  const streams = new OpenStreams(session, send);
  const calls = new ClientCalls({
    load: async ({ header }) => await loadProcedure(header),
    carryOut: async (packet, failure) => await answer(packet, { send, session, streams, failure }),
  });
  try {
    for await (const packet of readPackets(stream.read())) {
      const { header } = packet;
      if (isPing(header)) await send(PONG);
      else if (header.type === PACKET_TYPE.call) {
        // Before the call begins: calls waiting without a limit end for it.
        hasLeft = closesConnection(packet);
        await calls.take(packet);
        if (session.isClosed === true) break;
      } else await streams.take(packet);
      // Other packets answer no question of svirt: libvirtd drops them too.
    }
  } finally {
    hasLeft = true;
    events.close();
    await streams.end();
    await calls.ended();
    // A registration may have been among the calls.
    await events.end();
  }
}

function keyOf({ isForKey }: Instance): Key {
  return isForKey === true ? "limited" : "full";
}

interface Answering {
  readonly session: Session;
  readonly streams: OpenStreams;
  /** Error of an impossible call. */
  readonly failure: SvirtError | undefined;
  send(packet: Uint8Array | undefined): Promise<void>;
}

async function answer(packet: Packet, { failure, send, session, streams }: Answering): Promise<void> {
  const answered = failure === undefined ? answerCall(session, packet) : errorAnswer(packet.header, failure);
  const { opened, reply } = await answered;
  // Known before the reply: the client may send after it.
  const start = opened === undefined ? undefined : await streams.add(packet.header, opened);
  // Before the reply: changes of the next call are then not merged with this call's.
  void session.events.deliver();
  await send(reply);
  // Not a part of the call: it may last as long as the connection.
  void start?.();
  if (isLarge(packet)) session.instance.host.freeMemory();
}

function isPing({ procedure, program, type, version }: PacketHeader): boolean {
  return (
    program === KEEPALIVE.program &&
    version === KEEPALIVE.version &&
    type === PACKET_TYPE.message &&
    procedure === KEEPALIVE.ping
  );
}

const PONG = formatPacket(
  {
    program: KEEPALIVE.program,
    version: KEEPALIVE.version,
    procedure: KEEPALIVE.pong,
    type: PACKET_TYPE.message,
    serial: 0,
    status: PACKET_STATUS.ok,
  },
  [],
);

/** Serial of all events of libvirtd. remoteDispatchObjectEventSend() of libvirt */
const EVENT_SERIAL = 1;

function eventPacket({ payload, procedure }: EventMessage): Uint8Array {
  const header = { ...REMOTE, procedure, type: PACKET_TYPE.message, serial: EVENT_SERIAL };
  // An event is shorter than any limit.
  return formatPacket({ ...header, status: PACKET_STATUS.ok }, payload) ?? new Uint8Array();
}

/** Returns a function writing packets in a row. After a failure, reported once, it drops them. */
function inTurn(stream: ByteStream, warn: Session["warn"]): (bytes: Uint8Array | undefined) => Promise<void> {
  let last = Promise.resolve();
  let isBroken = false;
  return async (bytes) => {
    if (bytes === undefined) return;
    last = last.then(async () => {
      if (!isBroken) await stream.write(bytes);
    });
    last = last.catch((thrown) => {
      isBroken = true;
      warn(asSvirtError(thrown));
    });
    await last;
  };
}

/** Reports each damaged file once, with its remedy. */
function oncePerMessage(warn: Session["warn"]): OnRefused {
  const reported = new Set<string>();
  return ({ message, remedy }) => {
    if (reported.has(message)) return;
    reported.add(message);
    warn(`${message}; remedy: ${remedy}`);
  };
}
