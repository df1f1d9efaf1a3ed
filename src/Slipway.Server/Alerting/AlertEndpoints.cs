using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Alerting;

/// <summary>How the rules of plans stand.</summary>
internal sealed class AlertEndpoints(Database database)
{
    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/api/v1/alerts", Permission.Read, AllAsync, AnyModel: true),
        new("GET", "/api/v1/models/{model}/alerts", Permission.Read, ListAsync),
        new("GET", "/api/v1/models/{model}/retraining", Permission.Read, RetrainingAsync),
    ];

    private async Task AllAsync(ApiCall call)
    {
        var alerts = await database.ReadAsync(session => AlertTable.ListAsync(session), call.Cancellation);
        await AnswerAsync(call, alerts.Where(memory => call.Caller.May(Permission.Read, memory.Alert.Model)));
    }

    private async Task ListAsync(ApiCall call)
    {
        var alerts = await database.ReadAsync(
            async session =>
            {
                await ModelNames.RequireAsync(session, call.Caller, call.Segment("model"));
                return await AlertTable.ListAsync(session, call.Segment("model"));
            },
            call.Cancellation);
        await AnswerAsync(call, alerts);
    }

    private async Task RetrainingAsync(ApiCall call)
    {
        var rules = await database.ReadAsync(
            async session =>
            {
                await ModelNames.RequireAsync(session, call.Caller, call.Segment("model"));
                var rules = ImmutableArray.CreateBuilder<Retraining>();
                foreach (var rule in await RetrainTable.ListAsync(session, call.Segment("model")))
                    rules.Add(rule with { Runs = await RetrainTable.RunsAsync(session, rule.Model, rule.Channel, rule.Rule.Name, Retraining.MostRuns) });
                return rules.ToImmutable();
            },
            call.Cancellation);
        await call.AnswerAsync(rules, MonitoringJson.Default.ImmutableArrayRetraining);
    }

    private static Task AnswerAsync(ApiCall call, IEnumerable<AlertMemory> alerts) =>
        call.AnswerAsync([.. alerts.Select(memory => memory.Alert)], MonitoringJson.Default.ImmutableArrayAlert);
}
