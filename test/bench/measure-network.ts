import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { startLibvirt, untilAnswered } from "./libvirtd.ts";
import { comparePairs } from "./pairs.ts";
import type { Ratio } from "./timings.ts";

/** Most that a start of a network may take, over virsh. */
const START_AIM = 1;
/**
 * Number of the network's bridge and addresses, for each tool. RFC 2544 has 198.18.0.0/15 for measurements.
 */
const NUMBERS = { svirt: 71, virsh: 72 } as const;

/**
 * Compares the start of a network of mode open, for which dnsmasq is started, with virsh. libvirt's daemon
 * runs already. For other modes libvirt loads a module for tc that small kernels do not have. Returns
 * undefined without root, libvirt or dnsmasq.
 */
export async function measureNetwork(
  tools: string,
  svirt: string,
  rounds: number,
): Promise<readonly Ratio[] | undefined> {
  if (process.getuid?.() !== 0 || Bun.which("libvirtd") === null || Bun.which("dnsmasq") === null)
    return undefined;
  const work = mkdtempSync(`${tmpdir()}/svirt-bench-`);
  const virsh = `/usr/bin/virsh -q -c network:///system?socket=${work}/libvirt-sock`;
  const daemon = startLibvirt(work);
  const programs = [svirt, virsh] as const;
  try {
    await untilAnswered(`${virsh} net-list`);
    for (const [at, number] of Object.values(NUMBERS).entries()) {
      const file = `${work}/${number}.xml`;
      writeFileSync(file, networkXml(number));
      run(`${programs[at]} net-define ${file}`);
    }
    const [ours, over] = programs.map((program, at) => {
      const name = nameOf(Object.values(NUMBERS)[at] ?? 0);
      return `${program} net-start ${name} => ${program} net-destroy ${name}`;
    });
    const pair = { what: "net-start / virsh", ours: ours ?? "", over: over ?? "", aim: START_AIM };
    return await comparePairs(tools, rounds, [pair]);
  } finally {
    forgetNetworks(programs);
    daemon.kill();
    await daemon.exited;
    rmSync(work, { recursive: true });
  }
}

function nameOf(number: number): string {
  return `svirt-bench-${number}`;
}

function networkXml(number: number): string {
  return `<network><name>${nameOf(number)}</name><bridge name='svirtbench${number}'/>
  <forward mode='open'/>
  <ip address='198.18.${number}.1' netmask='255.255.255.0'/></network>`;
}

function forgetNetworks(programs: readonly [string, string]): void {
  for (const [at, number] of Object.values(NUMBERS).entries())
    for (const verb of ["net-destroy", "net-undefine"])
      Bun.spawnSync(`${programs[at]} ${verb} ${nameOf(number)}`.split(" "), { stderr: "ignore" });
}

/** Runs a command. Throws if it fails. */
function run(command: string): void {
  const { exitCode, stderr } = Bun.spawnSync(command.split(" "), { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`Cannot measure: ${command} ended with ${exitCode}: ${stderr}`);
}
