import { expect, test } from "bun:test";
import { machineWithAgent } from "../scenes/agents.ts";
import { nodeOn, UUID } from "../scenes/scene.ts";
import { call, domain, errorIn, opening, RemoteClient, serve, word } from "./remote-client.ts";

const [CLOSE, GET_VERSION, GET_GUEST_VCPUS, SET_AGENT_TIMEOUT] = [2, 4, 371, 420];
const VM1 = domain("vm1", UUID);
const NO_LIMIT = word(-2);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("an agent's answer without a limit is not awaited once the client closes the connection, whose call waits for others", async () => {
  const machine = await machineWithAgent({});
  machine.agent.silent = new Set(["guest-get-vcpus"]);
  const open = [{ label: "charchannel0", filename: "", "frontend-open": true }];
  machine.qemu = { ...machine.qemu, answers: new Map([["query-chardev", open]]) };
  const { host, ...node } = nodeOn(machine);
  const go = Promise.withResolvers<void>();
  const readProbe: typeof host.readProbe = async () => {
    await go.promise;
    return { text: "QEMU emulator version 10.0.3" };
  };
  const connectLines: typeof host.connectLines = async (to) => {
    const channel = await host.connectLines(to);
    const readLine: typeof channel.readLine = async (...how) => {
      await turn();
      return await channel.readLine(...how);
    };
    return { ...channel, readLine };
  };
  const client = new RemoteClient();
  const end = serve({ ...node, host: { ...host, readProbe, connectLines } }, client);
  client.send(opening() + call(SET_AGENT_TIMEOUT, VM1 + NO_LIMIT + word(0)));
  while (client.replies().length < 3) await turn();
  client.send(call(GET_GUEST_VCPUS, VM1 + word(0)) + call(GET_VERSION).repeat(4));
  while (machine.agent.waited.length < 9) await turn();
  expect(client.replies().slice(3)).toEqual([]);
  // The client waits for the answer, and leaves its end open.
  client.send(call(CLOSE));
  while (client.replies().length < 5) await turn();
  const [silent, closed] = client.replies().slice(3);
  expect(silent && errorIn(silent)?.code).toBe(86);
  expect(closed).toMatchObject({ procedure: CLOSE, status: 0 });
  expect([...machine.locks]).toEqual([]);
  go.resolve();
  await end;
});
