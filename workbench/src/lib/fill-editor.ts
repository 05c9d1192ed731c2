/** Lets a tutorial write the body of a request for whoever reads it. */
import { useEffect } from 'react';

let fill: ((text: string) => void) | undefined;

/** @returns whether there is an editor to fill. */
export function fillEditor(text: string): boolean {
  fill?.(text);
  return fill !== undefined;
}

/** The editor that is shown is filled by this. */
export function useFillEditor(onFill: (text: string) => void): void {
  useEffect(() => {
    fill = onFill;
    return () => {
      if (fill === onFill) fill = undefined;
    };
  }, [onFill]);
}
