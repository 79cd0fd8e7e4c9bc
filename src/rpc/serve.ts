import { asSvirtError, type SvirtError } from "../errors.ts";
import type { ByteStream } from "../host/channels.ts";
import type { Instance } from "../state/instance.ts";
import { answerCall } from "./answer-call.ts";
import type { EventMessage } from "./procedures/events/messages.ts";
import { Subscriptions } from "./procedures/events/subscriptions.ts";
import type { Session } from "./procedures/procedure.ts";
import { checkUri } from "./uri.ts";
import { formatPacket, PACKET_STATUS, PACKET_TYPE, type PacketHeader, REMOTE } from "./wire/packet.ts";
import { readPackets } from "./wire/read-packets.ts";

/** Most calls of a client that are carried out at once. max_client_requests of libvirt's libvirtd.conf */
const MOST_CALLS = 5;
/** Program by which client and server ask each other whether they live. KEEPALIVE_PROGRAM of libvirt's virkeepaliveprotocol.x */
const KEEPALIVE = { program: 0x6b_65_65_70, version: 1, ping: 1, pong: 2 };

/** Connection of a client, with its rights. */
export interface Served {
  readonly instance: Instance;
  /** URI that the client's command names; empty: any. */
  readonly uri: string;
  readonly isForReading: boolean;
  warn(error: SvirtError | string): void;
}

/**
 * Answers the client at standard input and output in libvirt's remote protocol until it closes the connection, and then waits
 * for the calls that it left. Throws for a URI of another hypervisor, and "failed" for bytes that are no packets.
 */
export async function serveClient({ instance, isForReading, uri, warn }: Served): Promise<void> {
  checkUri(instance, uri);
  const stream = await instance.host.openCaller();
  const send = inTurn(stream, warn);
  const sendAll = async (messages: readonly EventMessage[]): Promise<void> =>
    await send(Buffer.concat(messages.map(eventPacket)));
  const events = new Subscriptions({ instance, send: sendAll, warn });
  const session: Session = { instance, isForReading, events, warn };
  const open = new Set<Promise<void>>();
  try {
    for await (const packet of readPackets(stream.read())) {
      const { header } = packet;
      if (isPing(header)) await send(PONG);
      else if (header.type === PACKET_TYPE.call) {
        // Nothing more is read meanwhile, so that the client waits too.
        if (open.size >= MOST_CALLS) await Promise.race(open);
        const call = answerCall(session, packet)
          .then((reply) => {
            // Before the reply: changes of the next call are then not merged with those of this one.
            void events.deliver();
            return send(reply);
          })
          .finally(() => open.delete(call));
        open.add(call);
        if (session.isClosed === true) break;
      }
      // Other packets answer nothing that svirt has asked, as those of a stream that has ended: libvirtd drops them too.
    }
  } finally {
    events.close();
    await Promise.allSettled(open);
  }
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

/** Returns a function that writes packets one after another. After a failure, which it reports, it drops them. */
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
