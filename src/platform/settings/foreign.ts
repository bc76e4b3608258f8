/**
 * Variables of other programs. They may stand in a `.env` that is shared, and in the environment of a process, and never
 * stop the start. What is missing here can be named in IGNORED_VARIABLES.
 */
const FOREIGN: readonly RegExp[] = [
  // databases and what is run beside them
  /^(MYSQL|MARIADB|POSTGRES|PG|PMA|ADMINER|MONGO|RABBITMQ|MINIO|GRAFANA|TRAEFIK|CADDY|NGINX)_/,
  /^PG[A-Z]+$/,
  /^REDIS_(PASSWORD|ARGS|PORT|HOST|VERSION|DATA_DIR)$/,
  // Node, package managers, bundlers of front ends
  /^(NODE|npm|NPM|COREPACK|YARN|PNPM|BUN|DENO|VITE|VITEST|NEXT|NUXT|REACT_APP|EXPO|GATSBY|NG|VUE_APP|TURBO|NX|STORYBOOK)_/,
  /^(BROWSER|FAST_REFRESH|GENERATE_SOURCEMAP|INIT_CWD|NODE|FORCE_COLOR|NO_COLOR|DEBUG)$/,
  // containers and clusters
  /^(COMPOSE|DOCKER|BUILDKIT|KUBERNETES|KUBE|HELM|PODMAN|CONTAINER)_/,
  /_SERVICE_(HOST|PORT)(_\w+)?$/,
  /_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/,
  /_ENV_/, // links of Docker: DB_ENV_MYSQL_VERSION
  // machines, shells, terminals
  /^(PATH|HOME|HOSTNAME|HOSTTYPE|USER|LOGNAME|SHELL|SHLVL|PWD|OLDPWD|LANG|LANGUAGE|TERM|TZ|TMPDIR|TMP|TEMP|MAIL|EMAIL|EDITOR|VISUAL|PAGER|DISPLAY|_)$/,
  /^(LC|XDG|SSH|GPG|DBUS|SYSTEMD|SUDO|TERM|COLOR|WINDOWS|VSCODE|GIT|JAVA|PYTHON|SESSION_MANAGER)(_|$)/,
  /^(HTTP|HTTPS|NO|ALL|FTP)_PROXY$/i,
  /^SSL_CERT_(FILE|DIR)$/,
  /^(INVOCATION_ID|JOURNAL_STREAM|LISTEN_FDS|LISTEN_PID|NOTIFY_SOCKET|WATCHDOG_USEC|STATE_DIRECTORY|MANAGERPID)$/,
  /^PASSWORD_STORE_/, // pass(1)
  // clouds, continuous integration, telemetry
  /^(CI|BUILD_NUMBER|BUILD_ID|JOB_NAME)$/,
  /^(CI|GITLAB|RUNNER|ACTIONS|JENKINS|CIRCLE|TRAVIS|BUILDKITE|AWS|AZURE|ARM|GCP|HEROKU|FLY|RENDER|RAILWAY|VERCEL|NETLIFY|DYNO|WEBSITE)_/,
  /^(OTEL|SENTRY|DD|NEW_RELIC|DATADOG|ELASTIC)_/,
  /^GITHUB_(TOKEN|PAT|USER|ACTIONS|ACTION|ACTOR|SHA|REF|ENV|OUTPUT|PATH|JOB|WORKSPACE|REPOSITORY)$/,
  /^GOOGLE_(APPLICATION_CREDENTIALS|API_KEY|PROJECT|REGION|CHROME_\w+|CLOUD_\w+|GHA_\w+|MAPS_\w+|GENAI_\w+|ANALYTICS_\w+)$/,
];

/** True for a variable that is known to belong to another program. Kubernetes sets `<NAME>_PORT=tcp://…` for a service. */
export const isForeign = (name: string, value: string): boolean =>
  FOREIGN.some((pattern) => pattern.test(name)) ||
  (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value));

/** On these machines, names that begin so belong to the machine unless they look like a slip of the pen. */
export const familiesOfMachine = (env: Readonly<Record<string, string | undefined>>): string[] =>
  env['GITHUB_ACTIONS'] || env['CODESPACES'] ? ['GITHUB'] : [];
