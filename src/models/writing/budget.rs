use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{estimated_prompt_tokens, estimated_tokens};
use crate::domain::TenantId;
use crate::models::{
    Generator, Meter, OnText, Payer, Piece, TokenCount, WritingError, WritingRequest, Written,
};

/// What may be used. Money is in millionths of the currency that prices are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// By a tenant on a day (UTC).
    pub tokens_per_day: Option<u64>,
    pub micros_per_day: Option<u64>,
    /// By a job, from its beginning to its end.
    pub tokens_per_job: Option<u64>,
    pub micros_per_job: Option<u64>,
}

/// Of a million tokens, in whole units of the currency; so it is also that of one, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    pub prompt: f64,
    pub written: f64,
}

impl Price {
    pub fn micros(&self, tokens: TokenCount) -> u64 {
        let micros = tokens.prompt as f64 * self.prompt + tokens.written as f64 * self.written;
        micros.max(0.0).ceil() as u64
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub tokens: u64,
    pub micros: u64,
}

/// What a single job may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobLimits {
    pub tokens: Option<u64>,
    pub micros: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Account {
    Day(TenantId, Date),
    Job(TenantId, Arc<str>),
}

/// Who has used how much. What is reserved counts as used, so that requests at the same time can't
/// together go over a limit.
pub struct Ledger {
    limits: Limits,
    by_tenant: BTreeMap<TenantId, Limits>,
    accounts: Mutex<HashMap<Account, Spent>>,
    /// What jobs were given for themselves, besides what any job may use.
    of_jobs: Mutex<HashMap<Account, JobLimits>>,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Ledger {
    pub fn new(limits: Limits, by_tenant: BTreeMap<TenantId, Limits>) -> Self {
        Self::with_clock(limits, by_tenant, Timestamp::now)
    }

    pub fn with_clock(
        limits: Limits,
        by_tenant: BTreeMap<TenantId, Limits>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            limits,
            by_tenant,
            accounts: Mutex::default(),
            of_jobs: Mutex::default(),
            now: Box::new(now),
        }
    }

    /// By the tenant today.
    pub fn spent_today(&self, tenant: &TenantId) -> Spent {
        let account = Account::Day(tenant.clone(), self.today());
        self.accounts().get(&account).copied().unwrap_or_default()
    }

    /// By each tenant on the days that still matter, what is reserved now included.
    pub fn days(&self) -> Vec<(TenantId, Date, Spent)> {
        let accounts = self.accounts();
        let days = accounts.iter().filter_map(|(account, spent)| match account {
            Account::Day(tenant, date) => Some((tenant.clone(), *date, *spent)),
            Account::Job(..) => None,
        });
        let mut days: Vec<_> = days.collect();
        days.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        days
    }

    /// Goes on after so much was used before.
    pub fn restore(&self, days: impl IntoIterator<Item = (TenantId, Date, Spent)>) {
        let mut accounts = self.accounts();
        for (tenant, date, before) in days {
            let spent = accounts.entry(Account::Day(tenant, date)).or_default();
            spent.tokens = spent.tokens.saturating_add(before.tokens);
            spent.micros = spent.micros.saturating_add(before.micros);
        }
    }

    pub fn spent_by_job(&self, tenant: &TenantId, job: &str) -> Spent {
        let account = Account::Job(tenant.clone(), job.into());
        self.accounts().get(&account).copied().unwrap_or_default()
    }

    /// A job begins, or goes on after having spent so much.
    pub fn open_job(&self, tenant: &TenantId, job: &str, limits: JobLimits, spent: Spent) {
        let account = Account::Job(tenant.clone(), job.into());
        self.accounts().insert(account.clone(), spent);
        self.of_jobs().insert(account, limits);
    }

    /// A job has ended; its name may be used again.
    pub fn close_job(&self, tenant: &TenantId, job: &str) {
        let account = Account::Job(tenant.clone(), job.into());
        self.accounts().remove(&account);
        self.of_jobs().remove(&account);
    }

    fn of_jobs(&self) -> MutexGuard<'_, HashMap<Account, JobLimits>> {
        self.of_jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn today(&self) -> Date {
        (self.now)().to_zoned(TimeZone::UTC).date()
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<Account, Spent>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// Whose budget doesn't allow it.
    fn reserve(self: &Arc<Self>, request: &WritingRequest, amount: Spent) -> Result<Hold, Payer> {
        let today = self.today();
        let limits = self.by_tenant.get(&request.tenant).unwrap_or(&self.limits);
        let day = Account::Day(request.tenant.clone(), today);
        let mut wanted = vec![(day, limits.tokens_per_day, limits.micros_per_day)];
        if let Some(job) = &request.job {
            let account = Account::Job(request.tenant.clone(), Arc::clone(job));
            let own = self.of_jobs().get(&account).copied().unwrap_or_default();
            let least = |one: Option<u64>, other| one.into_iter().chain(other).min();
            let tokens_max = least(limits.tokens_per_job, own.tokens);
            wanted.push((account, tokens_max, least(limits.micros_per_job, own.micros)));
        }
        let mut accounts = self.accounts();
        accounts.retain(|account, _| match account {
            // Yesterday may still be settled.
            Account::Day(_, date) => date.tomorrow().is_ok_and(|next| next >= today),
            Account::Job(..) => true,
        });
        for (account, tokens_max, micros_max) in &wanted {
            let spent = accounts.get(account).copied().unwrap_or_default();
            let over = |max: &Option<u64>, spent: u64, more: u64| {
                max.is_some_and(|max| spent.saturating_add(more) > max)
            };
            if over(tokens_max, spent.tokens, amount.tokens)
                || over(micros_max, spent.micros, amount.micros)
            {
                return Err(match account {
                    Account::Day(tenant, _) => Payer::Tenant(tenant.clone()),
                    Account::Job(_, job) => Payer::Job(Arc::clone(job)),
                });
            }
        }
        let held: Vec<Account> = wanted.into_iter().map(|(account, ..)| account).collect();
        for account in &held {
            let spent = accounts.entry(account.clone()).or_default();
            spent.tokens += amount.tokens;
            spent.micros += amount.micros;
        }
        let meter = request.meter.clone();
        let (used, count) = (Spent::default(), TokenCount::default());
        Ok(Hold { ledger: Arc::clone(self), held, amount, used, count, meter })
    }
}

/// A reservation. Ended in whatever way, what was used stays and the rest goes back.
struct Hold {
    ledger: Arc<Ledger>,
    held: Vec<Account>,
    amount: Spent,
    used: Spent,
    count: TokenCount,
    meter: Option<Arc<Meter>>,
}

impl Hold {
    fn uses(&mut self, count: TokenCount, price: Price) {
        self.count = count;
        self.used = spent(count, price);
    }
}

fn spent(count: TokenCount, price: Price) -> Spent {
    Spent { tokens: count.prompt + count.written, micros: price.micros(count) }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(meter) = &self.meter {
            meter.used(self.count, self.used.micros);
        }
        let mut accounts = self.ledger.accounts();
        for account in &self.held {
            if let Some(spent) = accounts.get_mut(account) {
                spent.tokens = (spent.tokens + self.used.tokens).saturating_sub(self.amount.tokens);
                spent.micros = (spent.micros + self.used.micros).saturating_sub(self.amount.micros);
            }
        }
    }
}

/// Asks a provider only as far as the budgets of tenant and job allow.
pub struct Budgeted {
    inner: Arc<dyn Generator>,
    ledger: Arc<Ledger>,
    price: Price,
}

impl Budgeted {
    pub fn new(inner: Arc<dyn Generator>, ledger: Arc<Ledger>, price: Price) -> Self {
        Self { inner, ledger, price }
    }
}

#[async_trait]
impl Generator for Budgeted {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let prompt = estimated_prompt_tokens(request);
        let at_most = TokenCount { prompt, written: u64::from(request.max_tokens) };
        let reserved = self.ledger.reserve(request, spent(at_most, self.price));
        let mut hold = reserved.map_err(|whose| {
            if let Some(meter) = &request.meter {
                meter.refused(&whose);
            }
            WritingError::Budget { whose }
        })?;
        // Until the provider has counted, prompt and what came are what it costs, also when the caller
        // leaves before anything came.
        let mut written_until_now = 0;
        hold.uses(TokenCount { prompt, written: 0 }, self.price);
        let mut watched = |piece: Piece<'_>| {
            if let Piece::Text(text) = piece {
                written_until_now += estimated_tokens(text);
                hold.uses(TokenCount { prompt, written: written_until_now }, self.price);
            }
            on_text(piece);
        };
        let outcome = self.inner.write(request, &mut watched).await;
        match &outcome {
            Ok(written) => hold.uses(written.tokens, self.price),
            Err(error) if written_until_now == 0 && !may_be_charged(error) => {
                hold.uses(TokenCount::default(), self.price);
            }
            Err(_) => {}
        }
        outcome
    }
}

/// Whether a provider may have worked on the prompt before it failed.
const fn may_be_charged(error: &WritingError) -> bool {
    matches!(
        error,
        WritingError::Timeout { .. }
            | WritingError::Silent { .. }
            | WritingError::Broken { .. }
            | WritingError::Form { .. }
    )
}
