using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Ledger;
using Slipway.Documents.Policies;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>The server's policy. Everyone who may see a model may see what it is held to; only an administrator of all models sets it.</summary>
internal sealed class PolicyEndpoints(Database database, LedgerWriter ledger, TimeProvider time)
{
    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/api/v1/policy", Permission.Read, GetAsync, AnyModel: true),
        new("GET", "/api/v1/policies", Permission.Administer, ListAsync),
        new("PUT", "/api/v1/policy", Permission.Administer, SetAsync),
    ];

    private async Task GetAsync(ApiCall call)
    {
        var latest = await database.ReadAsync(PolicyTable.LatestAsync, call.Cancellation);
        var seen = latest.Policy.Models.Where(model => model.Key == Policy.AllModels || call.Caller.May(Permission.Read, model.Key));
        await call.AnswerAsync(latest with { Policy = new Policy(seen.ToImmutableSortedDictionary(StringComparer.Ordinal)) }, PolicyJson.Default.PolicyVersion);
    }

    /// <summary>Newest first.</summary>
    private async Task ListAsync(ApiCall call) =>
        await call.AnswerAsync(await database.ReadAsync(PolicyTable.ListAsync, call.Cancellation), PolicyJson.Default.ImmutableArrayPolicyVersion);

    private async Task SetAsync(ApiCall call)
    {
        var request = await call.ReadAsync(PolicyJson.Default.PolicyRequest);
        if (PolicyRules.Check(request.Policy) is { IsEmpty: false } faults)
            throw ApiProblem.Malformed(faults);
        var policy = await database.ChangeAsync(
            async session =>
            {
                var current = await PolicyTable.LatestAsync(session);
                if (current.Number > 0 && current.Digest == request.Policy.Digest)
                    return current;
                var next = new PolicyVersion(current.Number + 1, request.Policy.Digest, request.Policy, call.Caller.Id, call.Caller.Name, time.GetUtcNow().ToUnixTimeMilliseconds(), request.Reason);
                await ledger.RecordAsync(
                    session, call.Caller, "policy.set", [new LedgerSubject("policy", next.Digest)], request.Reason, JsonSerializer.SerializeToElement(request.Policy, PolicyJson.Default.Policy));
                await PolicyTable.InsertAsync(session, next);
                return next;
            },
            call.Cancellation);
        await call.AnswerAsync(policy, PolicyJson.Default.PolicyVersion);
    }
}
