//! A fine, from its creation to its payment, its appeals or its collection.

use std::fmt;

use gesta::prelude::*;

use super::money::Cents;

/// The number of a fine, such as `S38735`.
#[id]
pub struct FineId(String);

/// An offence was recorded and fined.
#[event]
pub struct FineCreated {
    /// The fine.
    pub amount: Cents,
    /// The year of the offence, by which the municipality keeps its books.
    pub year: i32,
    /// The article of the law.
    pub article: String,
    /// Points taken from the licence.
    pub points: u32,
    /// The class of the vehicle.
    pub vehicle_class: String,
    /// Who recorded it.
    pub officer: String,
}

/// The fine was posted.
#[event]
pub struct FineSent {
    /// What posting it cost; it is added to what is owed.
    pub expense: Cents,
    /// The year the fine was created in.
    pub year: i32,
}

/// The offender was notified of the fine.
#[event]
pub struct OffenderNotified {
    /// How.
    pub notification_type: String,
    /// What the register says of the last posting, where it says anything.
    pub last_sent: Option<String>,
}

/// It was not paid in time: the penalty takes the place of the fine's amount.
#[event]
pub struct PenaltyAdded {
    /// What is owed now in place of the fine's amount.
    pub amount: Cents,
    /// The penalty that this one takes the place of, where there was one.
    pub replaces: Option<Cents>,
    /// The year the fine was created in.
    pub year: i32,
}

/// The whole or a part of it was paid.
#[event]
pub struct PaymentReceived {
    /// How much.
    pub amount: Cents,
    /// The year the fine was created in.
    pub year: i32,
}

/// The offender was entered as appealing to the prefecture.
#[event]
pub struct PrefectureAppealEntered;

/// The appeal was sent on to the prefecture.
#[event]
pub struct PrefectureAppealSent {
    /// What the register says of the fine's dismissal.
    pub dismissal: String,
}

/// The prefecture has decided on the appeal.
#[event]
pub struct PrefectureResultReceived;

/// The offender was told what the prefecture decided.
#[event]
pub struct PrefectureResultNotified;

/// The offender appealed to a judge.
#[event]
pub struct JudgeAppealed {
    /// What the register says of the fine's dismissal.
    pub dismissal: String,
}

/// It was handed over to a credit collection agency.
#[event]
pub struct SentToCollection;

/// A fine that was created.
#[derive(Debug)]
pub struct Fine {
    year: i32,
    amount: Cents,
    penalty: Option<Cents>,
    expenses: Cents,
    paid: Cents,
    stage: Stage,
}

/// How far a fine has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Created,
    Sent,
    Notified,
    Penalised,
    Appealed,
    InCollection,
}

#[aggregate(id = FineId)]
impl Fine {
    fn created(e: &FineCreated) -> Self {
        let (expenses, paid) = (Cents::ZERO, Cents::ZERO);
        Fine { year: e.year, amount: e.amount, penalty: None, expenses, paid, stage: Stage::Created }
    }
    fn sent(&mut self, e: &FineSent) {
        self.expenses += e.expense;
        self.stage = Stage::Sent;
    }
    fn notified(&mut self, _: &OffenderNotified) {
        self.stage = Stage::Notified;
    }
    fn penalty_added(&mut self, e: &PenaltyAdded) {
        self.penalty = Some(e.amount);
        self.stage = Stage::Penalised;
    }
    fn paid(&mut self, e: &PaymentReceived) {
        self.paid += e.amount;
    }
    fn appeal_entered(&mut self, _: &PrefectureAppealEntered) {
        self.stage = Stage::Appealed;
    }
    fn appeal_sent(&mut self, _: &PrefectureAppealSent) {}
    fn result_received(&mut self, _: &PrefectureResultReceived) {}
    fn result_notified(&mut self, _: &PrefectureResultNotified) {}
    fn judge_appealed(&mut self, _: &JudgeAppealed) {
        self.stage = Stage::Appealed;
    }
    fn in_collection(&mut self, _: &SentToCollection) {
        self.stage = Stage::InCollection;
    }
}

/// What is owed and paid, and how far it has gone.
impl fmt::Display for Fine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owed = self.penalty.unwrap_or(self.amount) + self.expenses;
        write!(f, "owed {owed}, paid {}, {:?}", self.paid, self.stage)
    }
}

/// Fines an offence; its year is that of the time at which the command is said to have happened.
#[command]
pub struct CreateFine {
    /// The fine.
    pub amount: Cents,
    /// The article of the law.
    pub article: String,
    /// Points taken from the licence.
    pub points: u32,
    /// The class of the vehicle.
    pub vehicle_class: String,
    /// Who recorded it.
    pub officer: String,
}

/// Posts the fine.
#[command]
pub struct SendFine {
    /// What posting it costs.
    pub expense: Cents,
}

/// Enters that the offender was notified.
#[command]
pub struct NotifyOffender {
    /// How.
    pub notification_type: String,
    /// What the register says of the last posting, where it says anything.
    pub last_sent: Option<String>,
}

/// Puts a penalty in the place of the fine's amount.
#[command]
pub struct AddPenalty {
    /// What is owed from now on in place of the fine's amount.
    pub amount: Cents,
}

/// Enters a payment.
#[command]
pub struct ReceivePayment {
    /// How much was paid.
    pub amount: Cents,
}

/// Enters that the offender appeals to the prefecture.
#[command]
pub struct EnterPrefectureAppeal;

/// Sends the appeal on to the prefecture.
#[command]
pub struct SendPrefectureAppeal {
    /// What the register says of the fine's dismissal.
    pub dismissal: String,
}

/// Enters that the prefecture has decided.
#[command]
pub struct ReceivePrefectureResult;

/// Tells the offender what the prefecture decided.
#[command]
pub struct NotifyPrefectureResult;

/// Enters an appeal to a judge.
#[command]
pub struct AppealToJudge {
    /// What the register says of the fine's dismissal.
    pub dismissal: String,
}

/// Hands the fine over to a credit collection agency.
#[command]
pub struct SendToCollection;

/// Why a command on a fine is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FineError {
    /// A fine's amount is above 0.
    FineNotPositive {
        /// What it was to be.
        amount: Cents,
    },
    /// A payment is above 0.
    PaymentNotPositive {
        /// What it was to be.
        amount: Cents,
    },
}

// That nothing happens to a fine which does not exist is said by the signatures: all but `create` take `&self`.
#[command_handler]
impl Fine {
    fn create(cmd: CreateFine, context: &Context) -> Result<FineCreated, FineError> {
        let CreateFine { amount, article, points, vehicle_class, officer } = cmd;
        if !amount.is_positive() {
            return Err(FineError::FineNotPositive { amount });
        }
        let (year, _, _) = context.occurred_at().date();
        Ok(FineCreated { amount, year, article, points, vehicle_class, officer })
    }
    fn send(&self, cmd: SendFine) -> FineSent {
        FineSent { expense: cmd.expense, year: self.year }
    }
    fn notify(&self, cmd: NotifyOffender) -> OffenderNotified {
        OffenderNotified { notification_type: cmd.notification_type, last_sent: cmd.last_sent }
    }
    fn add_penalty(&self, cmd: AddPenalty) -> PenaltyAdded {
        PenaltyAdded { amount: cmd.amount, replaces: self.penalty, year: self.year }
    }
    fn receive_payment(&self, cmd: ReceivePayment) -> Result<PaymentReceived, FineError> {
        if !cmd.amount.is_positive() {
            return Err(FineError::PaymentNotPositive { amount: cmd.amount });
        }
        Ok(PaymentReceived { amount: cmd.amount, year: self.year })
    }
    fn enter_appeal(&self, _: EnterPrefectureAppeal) -> PrefectureAppealEntered {
        PrefectureAppealEntered
    }
    fn send_appeal(&self, cmd: SendPrefectureAppeal) -> PrefectureAppealSent {
        PrefectureAppealSent { dismissal: cmd.dismissal }
    }
    fn receive_result(&self, _: ReceivePrefectureResult) -> PrefectureResultReceived {
        PrefectureResultReceived
    }
    fn notify_result(&self, _: NotifyPrefectureResult) -> PrefectureResultNotified {
        PrefectureResultNotified
    }
    fn appeal_to_judge(&self, cmd: AppealToJudge) -> JudgeAppealed {
        JudgeAppealed { dismissal: cmd.dismissal }
    }
    fn send_to_collection(&self, _: SendToCollection) -> SentToCollection {
        SentToCollection
    }
}

impl fmt::Display for FineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FineError::FineNotPositive { amount } => write!(f, "a fine is above 0, not {amount}"),
            FineError::PaymentNotPositive { amount } => write!(f, "a payment is above 0, not {amount}"),
        }
    }
}

impl std::error::Error for FineError {}
