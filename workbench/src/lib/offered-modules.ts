/** What modules of a project find under the names that they import: the React of the page, and parts of it to build on. The gateway compiles them so. */
import * as React from 'react';
import * as jsxRuntime from 'react/jsx-runtime';
import * as ReactDOM from 'react-dom';

const parts: Record<string, unknown> = {};

Object.assign(globalThis, {
  motiaWorkbench: {
    modules: {
      react: React,
      'react/jsx-runtime': jsxRuntime,
      'react-dom': ReactDOM,
      'motia/workbench': parts,
      '@motiadev/workbench': parts,
    },
  },
});

/** Adds to what `motia/workbench` exports. */
export function offer(more: Record<string, unknown>): void {
  Object.assign(parts, more);
}
