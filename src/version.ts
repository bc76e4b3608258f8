import packageJson from '#package' with { type: 'json' };

export const { version } = packageJson;
