using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>A model's release plan, changed without a push. What was approved before goes by the plan that it was approved with.</summary>
internal sealed class PlanEndpoints(Database database, PlanSetter plans, TimeProvider time)
{
    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/api/v1/models/{model}/plans", Permission.Read, ListAsync),
        new("POST", "/api/v1/models/{model}/plans", Permission.Push, SetAsync),
    ];

    /// <summary>Newest first.</summary>
    private async Task ListAsync(ApiCall call) =>
        await call.AnswerAsync(await database.ReadAsync(session => PlanTable.ListAsync(session, call.Segment("model")), call.Cancellation), RegistryJson.Default.ImmutableArrayPlanVersion);

    private async Task SetAsync(ApiCall call)
    {
        var (model, request) = (call.Segment("model"), await call.ReadAsync(RegistryJson.Default.PlanRequest));
        if (PlanRules.Check(request.Plan) is { IsEmpty: false } faults)
            throw ApiProblem.Malformed(faults);
        var plan = await database.ChangeAsync(
            async session =>
            {
                await ModelNames.RequireAsync(session, call.Caller, model);
                var current = (await PlanTable.LatestAsync(session, model))!;
                return current.Digest == request.Plan.Digest
                    ? current
                    : await plans.SetAsync(session, call.Caller, model, request.Plan, current.Number + 1, request.Reason, time.GetUtcNow().ToUnixTimeMilliseconds());
            },
            call.Cancellation);
        await call.AnswerAsync(plan, RegistryJson.Default.PlanVersion);
    }
}
