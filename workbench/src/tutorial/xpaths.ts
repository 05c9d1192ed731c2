/** Where parts of the page are, as XPath: tutorials of Motia 0.17 name by these what they explain and click. Pure. */

const testId = (id: string) => `//*[@data-testid="${id}"]`;
const nth = (path: string, index: number) => `(${path})[${index}]`;

export const workbenchXPath = {
  sidebarContainer: testId('sidebar-panel'),
  closePanelButton: testId('close-panel'),
  bottomPanel: '//*[@id="main"]',
  flows: {
    dropdownFlow: (flow: string) => testId(`dropdown-${flow}`),
    feature: (id: string) => `//*[@data-feature-id="${id}"]`,
    previewButton: (step: string) => testId(`open-code-preview-button-${step}`),
    node: (step: string) => testId(`node-${step}`),
  },
  endpoints: {
    endpoint: (method: string, path: string) => testId(`endpoint-${method}-${path}`),
    callPanel: testId('endpoint-details-panel'),
    callTab: testId('endpoint-body-tab'),
    response: testId('endpoint-response-container'),
    playButton: testId('endpoint-play-button'),
  },
  tracing: {
    /** @param index from 1, the newest first; so are the others. */
    trace: (index: number) => nth('//*[contains(@class, "motia-trace-group")]', index),
    details: testId('trace-details'),
    timeline: (index: number) => nth(testId('trace-timeline-item'), index),
  },
  logs: {
    container: testId('logs-container'),
    searchContainer: testId('logs-search-container'),
    traceColumn: (index: number) => nth('//*[starts-with(@data-testid, "trace-filter-")]', index),
    row: testId('log-row'),
  },
  states: {
    container: testId('states-container'),
    row: (index: number) => nth('//*[starts-with(@data-testid, "group-") or starts-with(@data-testid, "key-")]', index),
  },
  links: {
    flows: testId('flows-link'),
    endpoints: testId('endpoints-link'),
    tracing: testId('tracing-link'),
    logs: testId('logs-link'),
    states: testId('states-link'),
  },
};
