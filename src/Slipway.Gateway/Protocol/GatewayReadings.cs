using System.Globalization;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Protocol;

/// <summary>All metrics of a gateway but its histogram: what docs/guide/gateway.md lists.</summary>
internal static class GatewayReadings
{
    private static readonly string Program = typeof(GatewayReadings).Assembly.GetName().Version!.ToString(3);
    private static readonly AnswerArm[] Arms = Enum.GetValues<AnswerArm>();

    public static IReadOnlyList<Reading> Of(Router router, Traffic traffic) =>
    [
        new("slipway.build.info", false, "", "1, by the program's version.", () => [new(1, ("version", Program))]),
        new("slipway.requests", true, "{request}", "Requests answered, by HTTP status; 0 stands for any that is not usual.", () => Requests(traffic.Metrics)),
        new("slipway.requests.shed", true, "{request}", "Requests turned away although nothing was wrong with them.", () => Shed(traffic.Metrics)),
        new("slipway.requests.in_flight", false, "{request}", "Requests that have a place at their model.", () => Models(router, model => traffic.Of(model).Limit.Taken)),
        new("slipway.requests.queued", false, "{request}", "Requests that wait for a place at their model.", () => Models(router, model => traffic.Of(model).Limit.Waiting)),
        new("slipway.shadow.requests", true, "{request}", "Copies of requests for a shadowed candidate, by what came of them.", () => Shadow(traffic.Metrics)),
        new("slipway.state.revision", false, "", "Revision of the state that is served; 0 before the first.", () => [new(router.Current.Revision)]),
        new("slipway.version.ready", false, "", "1 while the version can answer, 0 while it cannot, by what it is to its model.", () => Versions(router.Current)),
        new("slipway.rollout.weight", false, "1", "The candidate's share of the requests.", () => Rollouts(router.Current)),
    ];

    /// <summary>Every series of requests that there may be.</summary>
    public static IEnumerable<(ModelMetrics Model, VersionMetrics Version, AnswerArm Arm)> Cells(GatewayMetrics metrics) =>
        from model in metrics.Models
        from version in model.Versions
        from arm in Arms
        select (model, version, arm);

    private static IEnumerable<LabelledValue> Requests(GatewayMetrics metrics) =>
        from cell in Cells(metrics)
        from status in Enumerable.Range(0, VersionMetrics.Statuses.Length)
        let count = cell.Version.RequestsOf(cell.Arm, status)
        where count > 0
        select new LabelledValue(
            count, ("model", cell.Model.Model), ("version", cell.Version.Version), ("arm", Name(cell.Arm)), ("status", VersionMetrics.Statuses[status].ToString(CultureInfo.InvariantCulture)));

    private static IEnumerable<LabelledValue> Shed(GatewayMetrics metrics) =>
        from model in metrics.Models
        from reason in Enum.GetValues<ShedReason>()
        let count = model.ShedOf(reason)
        where count > 0
        select new LabelledValue(count, ("model", model.Model), ("reason", Name(reason)));

    private static IEnumerable<LabelledValue> Shadow(GatewayMetrics metrics) =>
        from model in metrics.Models
        from outcome in Enum.GetValues<ShadowOutcome>()
        let count = model.ShadowOf(outcome)
        where count > 0
        select new LabelledValue(count, ("model", model.Model), ("outcome", Name(outcome)));

    private static IEnumerable<LabelledValue> Models(Router router, Func<string, double> value) =>
        router.Current.Models.Keys.Order(StringComparer.Ordinal).Select(model => new LabelledValue(value(model), ("model", model)));

    private static IEnumerable<LabelledValue> Versions(RoutingTable table) =>
        from route in table.Models.Values.OrderBy(route => route.Model, StringComparer.Ordinal)
        from version in route.Versions.Values.OrderBy(version => version.Version.Number)
        let role = ReferenceEquals(version, route.Stable) ? "stable" : ReferenceEquals(version, route.Rollout?.Candidate) ? "candidate" : "warm"
        select new LabelledValue(version.Host.NotReady is null ? 1 : 0, ("model", route.Model), ("version", version.Name), ("role", role));

    private static IEnumerable<LabelledValue> Rollouts(RoutingTable table) =>
        from route in table.Models.Values.OrderBy(route => route.Model, StringComparer.Ordinal)
        from rollout in route.Rollout is { } running ? (LiveRollout[])[running] : []
        select new LabelledValue(
            rollout.Route.Weight / (double)Weight.All, ("model", route.Model), ("version", rollout.Candidate.Name), ("rollout", rollout.Route.Id));

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
