// Light, dark, or what the system prefers.

import { button } from './dom.ts';

const NAMES = { auto: 'as the system', light: 'light', dark: 'dark' } as const;
type Theme = keyof typeof NAMES;
const SIGNS: Readonly<Record<Theme, string>> = { auto: '◐', light: '☀', dark: '☾' };

export interface ThemeSwitch {
  readonly element: HTMLElement;
  next(): void;
}

export function createThemeSwitch(): ThemeSwitch {
  let theme: Theme = 'auto';
  const apply = () => {
    document.documentElement.dataset['theme'] = theme;
    element.textContent = SIGNS[theme];
    const text = `Colours: ${NAMES[theme]} (t)`;
    element.title = text;
    element.setAttribute('aria-label', text);
  };
  const next = () => {
    // The first press always changes what is seen.
    const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
    const order: readonly Theme[] = isDark ? ['auto', 'light', 'dark'] : ['auto', 'dark', 'light'];
    theme = order[(order.indexOf(theme) + 1) % order.length] as Theme;
    apply();
  };
  const element = button('', '', next, { class: 'theme' });
  apply();
  return { element, next };
}
