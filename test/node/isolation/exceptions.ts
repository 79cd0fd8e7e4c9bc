import type { AttemptResult, Run } from "./attempt.ts";

/** Attempt whose result differs from the rule of its group, with the reason. */
export interface Exception {
  readonly id: string;
  readonly runs: readonly Run[];
  readonly verdict: AttemptResult["verdict"];
  readonly reason: string;
}

type Differs = (reason: string, ...ids: string[]) => Exception[];

const differs =
  (runs: readonly Run[], verdict: AttemptResult["verdict"]): Differs =>
  (reason, ...ids) =>
    ids.map((id) => ({ id, runs, verdict, reason }));

/** Access of a guest beyond its needs, never to a neighbour or a secret: the judge rejects that. */
const allowed = differs(["kvm", "tcg", "net", "label", "twin"], "done");
const allowedToRoot = differs(["label"], "done");
const allowedToTwin = differs(["twin"], "done");
const allowedToNet = differs(["net"], "done");
const allowedToTcg = differs(["tcg"], "done");
const notOthers = differs(["label", "twin"], "refused");
const notGivenToTcg = differs(["tcg"], "refused");
const notInControl = differs(["control"], "refused");

/** Known differences. An outdated one is a fault too, so that the list stays short and true. */
export const EXCEPTIONS: readonly Exception[] = [
  ...allowed("no right is asked for: it harms the process itself alone", "code.personality"),
  ...allowed("the kernel asks no right: it tells that a number is in use, not whose it is", "pidfd.open"),
  ...allowed("a socket of the own label, to which no other guest may connect", "network.bind-abstract"),
  ...allowedToTcg("an emulated guest's code is made at run time", "code.wx"),
  ...allowedToRoot("the label of a KVM guest goes with the device; its user does not", "device.kvm"),
  ...allowedToTwin("it is what this run starts as", "become.neighbour"),
  ...allowedToRoot("root is what this run starts as", "become.root"),
  ...allowedToNet(
    "user networking is QEMU's own sockets, out to any port but VNC's; 127.0.0.1 has no label of its own",
    "network.ssh",
    "network.send-udp",
    "network.route",
  ),
  ...notOthers(
    "the folder is of another user, and the label takes root's power over that away",
    "own.folder-list",
    "own.folder-create",
    "own.socket",
  ),
  ...notOthers("another user is what this run is for", "own.user"),
  ...notInControl("the control is another user with another label", "own.label", "own.user"),
  ...notGivenToTcg("an emulated guest is not given /dev/kvm", "own.kvm"),

  ...notInControl("Debian's policy denies execmem to unconfined_t too", "code.wx", "code.stack"),
  ...notInControl(
    "the node's root file system is read-only",
    "file.passwd-write",
    "file.svirt-write",
    "file.qemu-write",
    "file.create-root",
  ),
  ...notInControl("the node has no such device", "device.msr"),
  ...notInControl("the node's kernel modules do not include it", "network.alg"),
  ...notInControl(
    "no domain of this policy may change the label it has, only exec does",
    "label.current-neighbour",
    "label.current-wider",
    "label.current-none",
    "label.current-unconfined",
    "label.current-manager",
  ),
  ...notInControl(
    "only svirt may enter a guest's domain, which it does to start this very program",
    "label.exec-neighbour",
    "label.exec-wider",
    "label.exec-none",
  ),
  ...notInControl("only svirt's own file is a way into svirt's domain", "label.exec-manager"),
];
