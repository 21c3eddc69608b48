//! One event of each kind of what is understood of a conversation and of who takes which work.

use backchannel::domain::*;

pub fn insights() -> Vec<EventBody> {
    let turn = || "t-1".into();
    vec![
        EventBody::IntentSeen(Box::new(TurnIntent {
            turn_id: turn(),
            seen: IntentSeen {
                ranked: vec![Intent { label: "refund".into(), probability: 0.75 }],
                abstained: false,
            },
        })),
        EventBody::SecretsSealed(SecretsSealed { turn_id: turn(), sealed: "c2VhbGVk".into() }),
        EventBody::SentimentSeen(Box::new(Sentiment {
            turn_id: turn(),
            score: -0.5,
            level: SentimentLevel::Negative,
            trend: SentimentTrend::Falling,
            message_score: -0.75,
            messages: 1,
            terms: Vec::new(),
        })),
        EventBody::CategoryMatched(Box::new(CategoryMatched {
            category: "cancellation_risk".into(),
            title: "Cancellation risk".into(),
            turn_id: Some(turn()),
            times: 1,
            evidence: vec![Evidence::Signal {
                name: "silence_ms".into(),
                value: "12400".into(),
                turn_id: Some(turn()),
            }],
        })),
        EventBody::Alerted(Box::new(Alert {
            category: "cancellation_risk".into(),
            times: 1,
            severity: Severity::Warning,
            title: "May leave".into(),
            message: None,
            to: vec![Role::Supervisor],
            turn_id: Some(turn()),
        })),
    ]
}

pub fn routes() -> Vec<EventBody> {
    let (mode, epoch) = (RoutingMode::Active, 1);
    let decision = Decision {
        id: "d-1".into(),
        item: "i-1".into(),
        queue: "billing".into(),
        mode,
        policy: "context".into(),
        epoch,
        chosen: Some(Candidate { agent: "Emma".into(), score: 1.5, terms: Vec::new() }),
        runner_up: None,
        others: Vec::new(),
        rules_matched: Vec::new(),
        would_change: Vec::new(),
        reason: "Emma is free".into(),
        features: Vec::new(),
        at_ms: 2,
    };
    let assignment = Assignment {
        decision: Some("d-1".into()),
        item: "i-1".into(),
        queue: "billing".into(),
        agent: "Emma".into(),
        mode,
        policy: "context".into(),
        epoch,
        recommended: Some("Emma".into()),
        by: None,
        reason: "Emma is free".into(),
        waited_ms: 1,
        at_ms: 2,
        day_profiles: vec!["chats".into()],
    };
    let plan = PlanPut { epoch, form: PlanForm::Json, text: "{}".into(), by: None };
    let by = "Emma".to_owned();
    vec![
        EventBody::RoutePlanned(Box::new(plan)),
        EventBody::RoutePresence(Box::new(PresenceSet {
            agent: by.clone(),
            presence: "available".into(),
            by: by.clone(),
        })),
        EventBody::RouteOffered(Box::new(WorkOffered {
            item: "i-1".into(),
            conversation: Some("c-1".into()),
            external_id: None,
            workstream: "calls".into(),
            features: Vec::new(),
            intents: Vec::new(),
            preferred: Vec::new(),
            by: None,
            at_ms: 1,
        })),
        EventBody::RouteQueued(Box::new(WorkQueued {
            item: "i-1".into(),
            workstream: "calls".into(),
            queue: "billing".into(),
            mode,
            epoch,
            classified_by: Vec::new(),
            routes_matched: vec![("money".into(), "billing".into())],
            route: None,
            percent: None,
            skills: Vec::new(),
            profiles: vec!["call".into()],
            callback: false,
            why: "no rule matched".into(),
            at_ms: 1,
        })),
        EventBody::RouteOverflowed(Box::new(WorkOverflowed {
            item: "i-1".into(),
            queue: "billing".into(),
            mode,
            epoch,
            action: "queue".into(),
            to: Some("general".into()),
            after_queueing: true,
            waited_ms: 1,
            why: "it has waited".into(),
            at_ms: 2,
        })),
        EventBody::RouteRecommended(Box::new(decision)),
        EventBody::RouteAssigned(Box::new(assignment)),
        EventBody::RouteMoved(Box::new(WorkMoved {
            item: "i-1".into(),
            step: WorkStep::Transferred("general".into()),
            by: Some(by),
            at_ms: 3,
        })),
    ]
}
