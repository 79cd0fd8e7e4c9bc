import { afterEach, expect, mock, spyOn, test } from "bun:test";
import { PROCEDURES } from "../../src/rpc/procedures/table.ts";
import { makeMachine, nodeOn } from "../scenes/scene.ts";
import { call, errorIn, opening, RemoteClient, serve } from "./remote-client.ts";

const PING = call(1, "", { program: 0x6b_65_65_70, type: 2, serial: 0 });
/** virConnectGetHostname, and a procedure of another file. */
const [HOSTNAME, NODE_INFO] = [59, 6];

afterEach(() => mock.restore());

/** Gives svirt time for all that does not wait. */
async function settled(): Promise<void> {
  for (let at = 0; at < 100; at += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Returns once the connection of a client is open. */
async function opened(client: RemoteClient): Promise<void> {
  client.send(opening());
  while (client.replies().length < 2) await new Promise((resolve) => setImmediate(resolve));
}

/** Calls `before` before the file of NODE_INFO is loaded. */
function beforeLoad(before: () => Promise<void>): void {
  const original = PROCEDURES.load.bind(PROCEDURES);
  spyOn(PROCEDURES, "load").mockImplementation(async (number) => {
    if (number === NODE_INFO) await before();
    await original(number);
  });
}

test("keepalive is answered while calls wait for a file of procedures, and they begin in their order", async () => {
  const gate = Promise.withResolvers<void>();
  beforeLoad(async () => await gate.promise);
  const client = new RemoteClient();
  const end = serve(nodeOn(makeMachine()), client);
  await opened(client);
  client.send(call(NODE_INFO, "", { serial: 1 }));
  client.send(call(HOSTNAME, "", { serial: 2 }));
  client.send(PING);
  await settled();
  expect(client.replies().slice(2)).toMatchObject([{ procedure: 2, serial: 0 }]);
  expect(client.unread).toBe(0);
  gate.resolve();
  client.close();
  await end;
  expect(client.replies().slice(3)).toMatchObject([
    { procedure: NODE_INFO, serial: 1 },
    { procedure: HOSTNAME, serial: 2 },
  ]);
});

test("a call whose file cannot be loaded is answered with the error, and the next ones are carried out", async () => {
  beforeLoad(async () => {
    throw new Error("The file is missing");
  });
  const client = new RemoteClient();
  client.send(opening() + call(NODE_INFO) + call(HOSTNAME));
  client.close();
  await serve(nodeOn(makeMachine()), client);
  const [failed, other] = client.replies().slice(2);
  expect(failed && errorIn(failed)).toMatchObject({
    code: 1,
    message: expect.stringContaining("The file is missing"),
  });
  expect(other).toMatchObject({ procedure: HOSTNAME, status: 0 });
});
