import { describe, expect, test } from "bun:test";
import { fileKey } from "../../src/plan/facts/file-key.ts";
import { auditNode } from "../../src/vm/audit/audit-node.ts";
import type { Machine } from "../memory-host/machine.ts";
import { nodeOn } from "../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../scenes/volumes.ts";
import { call, errorIn, type Reply, word } from "./remote-client.ts";
import {
  CONTINUE,
  connect,
  DOWNLOAD,
  data,
  ERROR,
  HOLE,
  hole,
  long,
  OK,
  partOf,
  SPARSE,
  STREAM,
  StreamClient,
  settled,
  UPLOAD,
} from "./stream-client.ts";

const VOLUME = "private1.raw";
const NOTES = "/var/lib/svirt/unfinished";

const bytesOf = (machine: Machine): Uint8Array => machine.files.get(`${IMAGES}/${VOLUME}`).bytes;
const kinds = (replies: readonly Reply[]): number[][] => replies.map(({ status, type }) => [type, status]);

/** Returns whether svirt holds the volume as a QEMU that writes to it. */
function isLocked(machine: Machine): boolean {
  const id = nodeOn(machine).host.inspectFile(`${IMAGES}/${VOLUME}`)?.id;
  return id !== undefined && machine.lockedImages.has(fileKey(id));
}

describe("virStorageVolDownload()", () => {
  test("sends the data and an empty packet, and confirms the client's end", async () => {
    const machine = makePoolMachine();
    bytesOf(machine).set([1, 2, 3, 4]);
    const part = partOf(VOLUME, { offset: 1n, length: 2n });
    const client = connect(machine, call(DOWNLOAD, part, { serial: DOWNLOAD }));
    const [reply, sent, end] = await client.packets(3);
    expect(reply).toMatchObject({ type: 1, status: OK, payload: "" });
    expect(sent).toEqual({
      procedure: DOWNLOAD,
      type: STREAM,
      serial: DOWNLOAD,
      status: CONTINUE,
      payload: "0203",
    });
    expect(end).toMatchObject({ type: STREAM, status: CONTINUE, payload: "" });
    client.send(data(DOWNLOAD, "", OK));
    expect((await client.packets(4))[3]).toMatchObject({ type: STREAM, status: OK, payload: "" });
    await client.leave();
  });

  test("sends holes to a client that asks for them", async () => {
    const machine = makePoolMachine();
    bytesOf(machine).fill(0).set([7, 7], 1000);
    const client = connect(machine, call(DOWNLOAD, partOf(VOLUME, { flags: SPARSE })));
    const [, ...packets] = await client.packets(5);
    expect(packets.map(({ payload, type }) => [type, payload])).toEqual([
      [HOLE, long(1000) + word(0)],
      [STREAM, "0707"],
      [HOLE, long(4096 - 1002) + word(0)],
      [STREAM, ""],
    ]);
    await client.leave();
  });

  test("of an offset behind the end is empty, and one that no file has is an error", async () => {
    const client = connect(makePoolMachine(), call(DOWNLOAD, partOf(VOLUME, { offset: 9000n })));
    expect((await client.packets(2))[1]).toMatchObject({ type: STREAM, status: CONTINUE, payload: "" });
    client.send(call(DOWNLOAD, partOf(VOLUME, { offset: 2n ** 63n }), { serial: 1 }));
    const [, , refused] = await client.packets(3);
    expect(refused === undefined ? undefined : errorIn(refused)).toEqual({
      code: 38,
      domain: 38,
      message: `Unable to seek ${IMAGES}/${VOLUME} to ${2n ** 63n}: Invalid argument`,
    });
    await client.leave();
  });

  test("ends with an error if the volume changes meanwhile", async () => {
    const machine = makePoolMachine();
    const node = nodeOn(machine);
    let looks = 0;
    const inspectFile: typeof node.host.inspectFile = (path) => {
      const facts = node.host.inspectFile(path);
      if (facts === undefined || path !== `${IMAGES}/${VOLUME}`) return facts;
      looks += 1;
      return { ...facts, times: { ...facts.times, changedNs: BigInt(looks) } };
    };
    const client = new StreamClient({ ...node, host: { ...node.host, inspectFile } });
    client.send(call(DOWNLOAD, partOf(VOLUME)));
    const failed = (await client.packets(3)).at(-1);
    expect(failed).toMatchObject({ type: STREAM, status: ERROR });
    expect(failed === undefined ? undefined : errorIn(failed)?.message).toEndWith("it changed meanwhile");
    await client.leave();
  });

  test("refuses data, by an error of this stream alone", async () => {
    const client = connect(makePoolMachine(), call(DOWNLOAD, partOf(VOLUME)));
    await client.packets(3);
    client.send(data(DOWNLOAD, "00"));
    const refused = (await client.packets(4)).find(({ status }) => status === ERROR);
    expect(refused === undefined ? undefined : errorIn(refused)).toMatchObject({ code: 39 });
    client.send(call(59));
    expect((await client.packets(5)).at(-1)).toMatchObject({ procedure: 59, status: OK });
    await client.leave();
  });
});

describe("virStorageVolUpload()", () => {
  test("writes data and holes, locks the volume until its end, and confirms it", async () => {
    const machine = makePoolMachine();
    bytesOf(machine).fill(1);
    const client = connect(machine, call(UPLOAD, partOf(VOLUME, { offset: 2n, flags: SPARSE })));
    await client.packets(1);
    client.send(data(UPLOAD, "0707") + hole(UPLOAD, 3) + data(UPLOAD, "") + data(UPLOAD, "08"));
    await settled();
    // A note is there, and the stream holds it.
    expect(nodeOn(machine).host.listFolder(NOTES)).toHaveLength(1);
    expect([isLocked(machine), (await auditNode(nodeOn(machine))).findings]).toEqual([true, []]);
    client.send(data(UPLOAD, "", OK));
    expect(kinds(await client.packets(2))).toEqual([
      [1, OK],
      [STREAM, OK],
    ]);
    expect([...bytesOf(machine).subarray(0, 10)]).toEqual([1, 1, 7, 7, 0, 0, 0, 8, 1, 1]);
    expect([isLocked(machine), (await auditNode(nodeOn(machine))).findings]).toEqual([false, []]);
    await client.leave();
  });

  test("confirms the end only when the data is on disk", async () => {
    const machine = makePoolMachine();
    const node = nodeOn(machine);
    const synced = Promise.withResolvers<void>();
    const openSink: typeof node.host.openSink = async (file, part) => ({
      ...(await node.host.openSink(file, part)),
      finish: () => synced.promise,
    });
    const client = new StreamClient({ ...node, host: { ...node.host, openSink } });
    client.send(call(UPLOAD, partOf(VOLUME)) + data(UPLOAD, "01"));
    await client.packets(1);
    client.send(data(UPLOAD, "01") + data(UPLOAD, "", OK));
    await settled();
    expect(client.replies()).toHaveLength(3);
    synced.resolve();
    expect((await client.packets(2))[1]).toMatchObject({ type: STREAM, status: OK });
    await client.leave();
  });

  test("that the client aborts leaves what was written, which the audit says, and no lock", async () => {
    const machine = makePoolMachine();
    const client = connect(machine, call(UPLOAD, partOf(VOLUME)));
    await client.packets(1);
    client.send(data(UPLOAD, "09"));
    await settled();
    client.send(data(UPLOAD, "", ERROR));
    expect((await client.packets(2))[1]).toMatchObject({ type: STREAM, status: OK, payload: "" });
    expect([bytesOf(machine)[0], isLocked(machine)]).toEqual([9, false]);
    const { findings } = await auditNode(nodeOn(machine));
    expect(findings).toEqual([expect.stringMatching(/private1[.]raw: 'vol-upload' was interrupted/)]);
    await client.leave();
  });

  test("ends with its connection", async () => {
    const machine = makePoolMachine();
    const client = connect(machine, call(UPLOAD, partOf(VOLUME)));
    await client.packets(1);
    expect(isLocked(machine)).toBe(true);
    await client.leave();
    expect([isLocked(machine), nodeOn(machine).host.listFolder(NOTES)]).toEqual([false, []]);
  });

  // virFDStreamWrite(), virFDStreamSendHole() and daemonStreamHandleAbort() of libvirt
  test.each([
    ["data beyond the length", data(UPLOAD, "010203"), 38, "No space left"],
    ["a hole beyond the length", hole(UPLOAD, 3), 38, "No space left"],
    ["a hole of no length", hole(UPLOAD, 0), 8, "length in virFDStreamSendHole must be greater than zero"],
    ["a hole of a negative length", hole(UPLOAD, -1), 8, "must be greater than zero"],
    ["a hole with a flag", hole(UPLOAD, 1, 4), 8, "unsupported flags (0x4) in function virFDStreamSendHole"],
    [
      "a hole that is cut off",
      call(UPLOAD, word(0), { type: HOLE, status: CONTINUE }),
      39,
      "Unable to decode",
    ],
    ["an unknown status", data(UPLOAD, "", 7), 39, "stream aborted with unexpected status 7"],
  ])("ends by %s, and nothing else does", async (...[, packet, code, message]) => {
    const machine = makePoolMachine();
    const client = connect(machine, call(UPLOAD, partOf(VOLUME, { length: 2n, flags: SPARSE })));
    await client.packets(1);
    client.send(packet);
    const [, failed] = await client.packets(2);
    expect(failed).toMatchObject({ type: STREAM, status: ERROR, serial: UPLOAD });
    const error = failed === undefined ? undefined : errorIn(failed);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(isLocked(machine)).toBe(false);
    client.send(data(UPLOAD, "01") + data(UPLOAD, "", OK) + call(59));
    expect((await client.packets(3)).at(-1)).toMatchObject({ procedure: 59, status: OK });
    expect(client.replies()).toHaveLength(5);
    await client.leave();
  });

  test("refuses a hole of a client that has not asked for them", async () => {
    const client = connect(makePoolMachine(), call(UPLOAD, partOf(VOLUME)));
    await client.packets(1);
    client.send(hole(UPLOAD, 1));
    const [, failed] = await client.packets(2);
    expect(failed === undefined ? undefined : errorIn(failed)?.message).toBe("Unexpected stream hole");
    await client.leave();
  });

  test("refuses a packet that is longer than svirt keeps, and writes no part of it", async () => {
    const machine = makePoolMachine();
    const client = connect(machine, call(UPLOAD, partOf(VOLUME)));
    await client.packets(1);
    client.send(data(UPLOAD, "01".repeat(5 * 1024 * 1024)));
    const [, failed] = await client.packets(2);
    expect(failed === undefined ? undefined : errorIn(failed)?.code).toBe(39);
    expect(bytesOf(machine)).toHaveLength(4096);
    await client.leave();
  });

  test("of a volume that another stream of this connection writes is refused", async () => {
    const machine = makePoolMachine();
    const client = connect(machine, call(UPLOAD, partOf(VOLUME)));
    await client.packets(1);
    client.send(call(UPLOAD, partOf(VOLUME), { serial: 1 }));
    expect((await client.packets(2))[1]).toMatchObject({ type: 1, status: ERROR });
    expect(isLocked(machine)).toBe(true);
    await client.leave();
  });
});

describe("a stream", () => {
  test("that was not opened is ignored, whatever is sent to it", async () => {
    const client = connect(makePoolMachine(), data(UPLOAD, "01") + hole(UPLOAD, -1) + data(UPLOAD, "", OK));
    client.send(data(9999, "", ERROR) + call(59));
    expect(await client.packets(1)).toMatchObject([{ procedure: 59, status: OK }]);
    await client.leave();
  });

  test("is one of sixteen at most", async () => {
    const client = connect(makePoolMachine(), "");
    for (let serial = 1; serial <= 17; serial += 1) {
      client.send(call(DOWNLOAD, partOf(VOLUME), { serial }));
      await client.packets(serial);
      await settled();
    }
    const last = (await client.packets(48)).find(({ type, serial }) => type === 1 && serial === 17);
    expect(last === undefined ? undefined : errorIn(last)?.message).toBe(
      "operation failed: the connection has 16 open streams",
    );
    await client.leave();
  });

  test("waits with its next data until the client has read the last", async () => {
    const machine = makePoolMachine();
    machine.files.get(`${IMAGES}/${VOLUME}`).bytes = new Uint8Array(4 * 1024 * 1024).fill(1);
    const client = connect(machine, "");
    await client.packets(0);
    const written: number[] = [];
    client.write = async (bytes) => {
      written.push(bytes.length);
      if (written.length > 1) await new Promise(() => undefined);
    };
    client.send(call(DOWNLOAD, partOf(VOLUME)));
    while (written.length < 2) await settled();
    await settled();
    // The reply, and one packet with 262,120 bytes, VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX.
    expect(written).toEqual([28, 28 + 262_120]);
  });

  test("makes the client wait while its data cannot be written", async () => {
    const machine = makePoolMachine();
    const node = nodeOn(machine);
    const openSink: typeof node.host.openSink = async () => ({
      put: () => new Promise(() => undefined),
      close: async () => undefined,
    });
    const client = new StreamClient({ ...node, host: { ...node.host, openSink } });
    client.send(call(UPLOAD, partOf(VOLUME)));
    await client.packets(1);
    for (let at = 0; at < 20; at += 1) client.send(data(UPLOAD, "01".repeat(262_120)));
    await settled();
    // A MiB and one packet are read.
    expect(client.unread).toBe(16);
  });
});
