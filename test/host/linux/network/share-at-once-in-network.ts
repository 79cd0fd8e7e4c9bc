// Program for filters.test.ts, in a separate network namespace. Sets and removes shares of a bridge in several processes at once, and
// prints as JSON their exit codes and the rates of the classes at the end.
import { makeBridge } from "../../../../src/host/linux/network/bridge.ts";
import { setFloor } from "../../../../src/host/linux/network/share-bridge.ts";

const PROCESSES = [1, 2, 3, 4, 5, 6] as const;
const TIMES = 100;
const [, , word] = process.argv;

if (word === undefined) await compete();
else setAndRemove(Number(word));

async function compete(): Promise<void> {
  makeBridge({
    name: "lan",
    mac: "52:54:00:00:00:aa",
    stp: false,
    delaySeconds: 0,
    addresses: [],
    routes: [],
    isIsolated: false,
    inbound: { bytesPerSecond: 10_000_000, peakBytesPerSecond: 10_000_000 },
  });
  const words = (number: number): string[] => [process.execPath, import.meta.path, String(number)];
  const codes = await Promise.all(
    PROCESSES.map((number) => Bun.spawn(words(number), { stderr: "inherit" }).exited),
  );
  const shown = Bun.spawnSync(["/usr/sbin/tc", "class", "show", "dev", "lan"]).stdout.toString();
  const rates = [...shown.matchAll(/class htb \S+ parent 1:1 .*rate (\S+) ceil/g)].map(([, rate]) => rate);
  process.stdout.write(JSON.stringify({ codes, rates: rates.toSorted() }));
}

/** Leaves a share if the number is even. */
function setAndRemove(number: number): void {
  const to = { bridge: "lan", mac: `52:54:00:00:00:0${number}` };
  for (let time = 0; time < TIMES; time += 1) {
    setFloor(to, 100_000 * number);
    setFloor(to, undefined);
  }
  if (number % 2 === 0) setFloor(to, 100_000 * number);
}
