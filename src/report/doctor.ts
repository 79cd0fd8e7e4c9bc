import { asSvirtError, GIVE_LABEL } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { PolicyFacts } from "../label/selinux-model.ts";
import type { Paths } from "../plan/paths.ts";
import { formatContext } from "../selinux/context.ts";
import { readControlGroups } from "./control-groups.ts";
import type { Finding } from "./finding.ts";
import { checkOwnFolders } from "./own-folders.ts";
import { describePermissive } from "./permissive.ts";
import { readPolicyFacts } from "./policy-facts.ts";
import { getQemuVersion } from "./qemu-version.ts";
import { checkSession } from "./session-checks.ts";
import { describeKeeper } from "./udev.ts";

const QEMU = "/usr/bin/qemu-system-x86_64";
const SETPRIV = "/usr/bin/setpriv";
const PROBE_RANGE = "s0:c0,c1";

/** Checks everything that a start of a confined guest needs on this host. Changes nothing. */
export async function examineNode(host: Host, paths: Paths): Promise<Finding[]> {
  return [
    checkMode(host),
    ...checkPolicy(host),
    checkOwnDomain(host),
    checkKvm(host),
    ...(paths.instance === "session" ? checkSession(host, paths) : []),
    await attempt("QEMU", async () => await checkQemu(host, paths)),
    checkProgram(host, SETPRIV, "Install util-linux."),
    checkProgram(host, "/bin/sh", "Install a POSIX shell: busybox is the smallest."),
    ...(paths.instance === "session" ? [] : checkShared(host)),
    ...checkOwnFolders(host, paths),
  ];
}

/** Checks control groups and device labels, for root's guests only. */
function checkShared(host: Host): Finding[] {
  return [
    checkGroups(host),
    { check: "labels of devices", verdict: "ok", is: describeKeeper(host), remedy: undefined },
  ];
}

/** Runs a check and reports its error as a finding: a user's folders may be missing. */
async function attempt(check: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    const { message, remedy } = asSvirtError(error);
    return { check, verdict: "failed", is: message, remedy };
  }
}

function checkMode(host: Host): Finding {
  const { mode } = host.getSelinux();
  const check = "SELinux";
  if (mode === "enforcing") return { check, verdict: "ok", is: mode, remedy: undefined };
  if (mode === "permissive") {
    const remedy =
      "Run setenforce 1, and boot without enforcing=0 and with SELINUX=enforcing in /etc/selinux/config.";
    return { check, verdict: "failed", is: describePermissive(host), remedy };
  }
  const remedy = "Boot a kernel that has SELinux with: security=selinux selinux=1 enforcing=1";
  return { check, verdict: "failed", is: "not enabled: guests cannot be confined", remedy };
}

function checkPolicy(host: Host): Finding[] {
  if (host.getSelinux().mode === "disabled") return [];
  try {
    const facts = readPolicyFacts(host);
    return [
      describePolicy(host),
      ...contextsToProbe(facts).map(([check, context]) => checkContext(host, check, context)),
    ];
  } catch (error) {
    const { message, remedy } = asSvirtError(error);
    return [{ check: "policy", verdict: "failed", is: message, remedy }];
  }
}

function describePolicy(host: Host): Finding {
  const policy = host.getPolicy();
  const name = host.getSelinux().policyName ?? "of unknown name";
  const is = `${name}, version ${policy?.version ?? "?"}, sha256 ${policy?.sha256 ?? "not readable"}`;
  if (policy?.isMls === true) return { check: "policy", verdict: "ok", is, remedy: undefined };
  return {
    check: "policy",
    verdict: "failed",
    is: `${is}, without categories`,
    remedy: "Load a policy built with MCS.",
  };
}

function contextsToProbe(facts: PolicyFacts): [check: string, context: string][] {
  const { role, user } = facts.own;
  return [
    ["label of KVM guests", formatContext({ user, role, type: facts.domain.kvm.type, range: PROBE_RANGE })],
    ["label of TCG guests", formatContext({ user, role, type: facts.domain.qemu.type, range: PROBE_RANGE })],
    ["label of images", formatContext({ ...facts.image.image, user, range: PROBE_RANGE })],
    ["label of content", formatContext(facts.image.content)],
  ];
}

function checkContext(host: Host, check: string, context: string): Finding {
  if (host.isValidContext(context)) return { check, verdict: "ok", is: context, remedy: undefined };
  const remedy = "Load a policy with that type and role; svirt's module is image/policy/ in its sources.";
  return { check, verdict: "failed", is: `${context} is not in the loaded policy`, remedy };
}

function checkOwnDomain(host: Host): Finding {
  const is = host.getOwnContext() ?? "no context";
  const check = "svirt's own domain";
  if (isInOwnDomain(host)) return { check, verdict: "ok", is, remedy: undefined };
  return { check, verdict: "warning", is: `${is}: svirt itself is not confined`, remedy: GIVE_LABEL };
}

function isInOwnDomain(host: Host): boolean {
  return host.getOwnContext()?.includes(":svirt_manager_t") === true;
}

function checkKvm(host: Host): Finding {
  const check = "/dev/kvm";
  if (host.inspectFile("/dev/kvm")?.type === "character")
    return { check, verdict: "ok", is: "there", remedy: undefined };
  const remedy =
    "Load kvm-intel or kvm-amd, and allow virtualization in the firmware; or write <domain type='qemu'>.";
  return { check, verdict: "warning", is: "missing: guests of type kvm cannot start", remedy };
}

async function checkQemu(host: Host, paths: Paths): Promise<Finding> {
  const version = await getQemuVersion(host, paths, QEMU);
  const check = "QEMU";
  if (version !== undefined) return { check, verdict: "ok", is: `${version} at ${QEMU}`, remedy: undefined };
  if (host.inspectFile(QEMU) === undefined)
    return { check, verdict: "failed", is: `${QEMU} is missing`, remedy: "Install qemu-system-x86." };
  const remedy = isInOwnDomain(host) ? "See SELinux's denials: svirt explain" : GIVE_LABEL;
  const where = host.getSelinux().mode === "disabled" ? "" : " in the domain of guests";
  return { check, verdict: "failed", is: `${QEMU} does not run${where}`, remedy };
}

function checkGroups(host: Host): Finding {
  const check = "control groups";
  const found = readControlGroups(host);
  const wanted = ["cpu", "cpuset", "io", "memory", "pids"];
  const missing = wanted.filter((name) => found?.controllers.has(name) !== true);
  if (missing.length === 0) return { check, verdict: "ok", is: wanted.join(", "), remedy: undefined };
  if (found === undefined) {
    const is =
      "none at /sys/fs/cgroup: guests have no limits, and guests with limits in their XML cannot start";
    return { check, verdict: "warning", is, remedy: "Run: mount -t cgroup2 cgroup2 /sys/fs/cgroup" };
  }
  const words = missing.map((name) => `+${name}`).join(" ");
  const remedy = `Run: echo ${words} >/sys/fs/cgroup/cgroup.subtree_control`;
  return { check, verdict: "warning", is: `missing controllers: ${missing.join(", ")}`, remedy };
}

function checkProgram(host: Host, path: string, remedy: string): Finding {
  const isThere = host.inspectFile(path)?.type === "file";
  return {
    check: path,
    verdict: isThere ? "ok" : "failed",
    is: isThere ? "there" : "missing",
    remedy: isThere ? undefined : remedy,
  };
}
