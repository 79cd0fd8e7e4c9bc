// Program for filters.test.ts, in a separate network namespace. Sets and removes shares of a bridge in
// several processes at once, and prints as JSON their exit codes and the rates of the classes at the end, and
// the errors of removals while the network ends.
import { asSvirtError } from "../../../../src/errors.ts";
import { makeBridge, removeBridge } from "../../../../src/host/linux/network/bridge.ts";
import { setFloor } from "../../../../src/host/linux/network/share-bridge.ts";

const PROCESSES = [1, 2, 3, 4, 5, 6] as const;
const TIMES = 400;
/** Time in which networks start and end. */
const ENDING_MS = 4000;
const MAC = "52:54:00:00:00:aa";
const [, , word] = process.argv;

if (word === undefined) await compete();
else if (word === "end") await endNetworks();
else setAndRemove(Number(word));

async function compete(): Promise<void> {
  make();
  const spawn = (given: string) =>
    Bun.spawn([process.execPath, import.meta.path, given], { stderr: "inherit" });
  const codes = await Promise.all(PROCESSES.map((number) => spawn(String(number)).exited));
  const tc = (...words: readonly string[]) => Bun.spawnSync(["/usr/sbin/tc", ...words]).stdout.toString();
  const filters = tc("filter", "show", "dev", "lan", "parent", "1:");
  const used = ["1:2", ...[...filters.matchAll(/flowid (\S+)/g)].map(([, flow]) => flow)];
  const classes = tc("class", "show", "dev", "lan").matchAll(/class htb (\S+) parent 1:1 .*rate (\S+) ceil/g);
  const rates = [...classes].flatMap(([, id, rate]) => (used.includes(id) ? [rate] : []));
  const ending = spawn("end");
  const errors = removeMeanwhile();
  await ending.exited;
  process.stdout.write(JSON.stringify({ codes, rates: rates.toSorted(), errors }));
}

function make(): void {
  makeBridge({
    name: "lan",
    mac: MAC,
    stp: false,
    delaySeconds: 0,
    addresses: [],
    routes: [],
    isIsolated: false,
    inbound: { bytesPerSecond: 10_000_000, peakBytesPerSecond: 10_000_000 },
  });
}

/** Removes and makes the bridge again and again. */
async function endNetworks(): Promise<void> {
  for (const end = performance.now() + ENDING_MS; performance.now() < end; ) {
    removeBridge({ name: "lan", mac: MAC });
    make();
    await Bun.sleep(Math.random() * 8);
  }
}

/** Sets and removes a share meanwhile, as guests that end do, and returns the errors of the removals. */
function removeMeanwhile(): readonly string[] {
  const to = { bridge: "lan", mac: "52:54:00:00:00:01" };
  const errors: string[] = [];
  for (const end = performance.now() + ENDING_MS; performance.now() < end; ) {
    try {
      setFloor(to, 100_000);
    } catch {
      // Without the bridge there is no share.
    }
    try {
      setFloor(to, undefined);
    } catch (error) {
      errors.push(asSvirtError(error).message);
    }
  }
  return errors;
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
