import { notXml, type Position } from "./refusal.ts";

/** Returns the line and column of an offset of the text, both from 1. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

/** Returns the error for a fault at an offset of the text. Kind "xml". */
export function faultAt(text: string, offset: number, problem: string): Error {
  return notXml(positionAt(text, offset), problem);
}
