using System.Text.Json;
using Slipway.Documents.Ledger;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>Carries out what a model's new plan changes at once, such as what gateways tell of its traffic.</summary>
internal delegate Task PlanFollower(Session session);

/// <summary>Makes a release plan a model's latest.</summary>
internal sealed class PlanSetter(LedgerWriter ledger, PlanFollower follow)
{
    public async Task<PlanVersion> SetAsync(Session session, Caller caller, string model, ReleasePlan plan, int number, string reason, long now)
    {
        var version = new PlanVersion(model, number, plan.Digest, plan, caller.Id, caller.Name, now, reason);
        await ledger.RecordAsync(
            session, caller, "plan.set", [LedgerSubject.OfModel(model, plan.Digest)], reason, JsonSerializer.SerializeToElement(plan, RolloutJson.Default.ReleasePlan));
        await PlanTable.InsertAsync(session, version, caller.MayBe);
        await follow(session);
        return version;
    }
}
