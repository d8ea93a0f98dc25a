-- What the side of the web application needs so that pollctl can sample its jobs: tables, who may see which rows, and the
-- GRANTs, which a new table needs also for service_role. May be run again; works on any PostgreSQL that has Supabase's roles.

create table if not exists public.jobs (
  id uuid primary key default gen_random_uuid(),
  owner uuid not null default auth.uid(),
  target text not null check (length(target) between 1 and 2000),
  probe text not null default 'api' check (probe in ('api', 'http', 'tcp', 'icmp')),
  monitoring_mode text not null default 'simulated' check (monitoring_mode in ('simulated', 'real_polling')),
  status text not null default 'running' check (status in ('running', 'completed', 'cancelled', 'failed')),
  cadence_seconds integer not null default 60 check (cadence_seconds >= 1),
  duration_seconds integer not null default 3600,
  started_at timestamptz not null default now(),
  last_ping_at timestamptz,     -- written by pollctl, only forward
  completed_at timestamptz,     -- likewise, with the summary
  poller text,                  -- which pollctl has claimed the job: two must not probe it
  claimed_at timestamptz,
  summary jsonb,
  constraint duration_covers_cadence check (duration_seconds >= cadence_seconds)
);
create index if not exists jobs_polled on public.jobs (id) where status = 'running' and monitoring_mode = 'real_polling';

create table if not exists public.samples (
  job_id uuid not null references public.jobs on delete cascade,
  sequence_number integer not null check (sequence_number >= 0),
  status text not null check (status in ('success', 'missed', 'system_error')),
  rtt_ms double precision,
  jitter_ms double precision,
  error text,
  recorded_at timestamptz not null,
  primary key (job_id, sequence_number),
  check ((status = 'success') = (rtt_ms is not null))
);

alter table public.jobs enable row level security;
alter table public.samples enable row level security;

do $$ begin
  create policy own_jobs on public.jobs for all to authenticated
    using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
exception when duplicate_object then null; end $$;
do $$ begin
  create policy own_samples on public.samples for select to authenticated
    using (exists (select from public.jobs where id = job_id and owner = (select auth.uid())));
exception when duplicate_object then null; end $$;

grant select, insert, update, delete on public.jobs to authenticated, service_role;
grant select on public.samples to authenticated;
grant select, insert on public.samples to service_role;

notify pgrst, 'reload schema';
