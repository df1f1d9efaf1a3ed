using Slipway.Documents.Monitoring;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Monitoring;

public sealed class TelemetryTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_gateways_tell_is_seen_once_by_version_and_window_however_often_it_is_told(DatabaseKind kind)
    {
        await using var stage = await MonitoringStage.OpenAsync(kind);
        var first = MonitoringStage.Batch(1, stage.Slice(10, errors: 2), stage.Slice(5, version: 2, arm: TrafficArm.Candidate), stage.Slice(7, version: 2, arm: TrafficArm.Shadow));
        Assert.Equal(1, (await stage.SendAsync(first)).Taken);
        Assert.Equal(1, (await stage.SendAsync(first)).Taken);
        Assert.Equal(2, (await stage.SendAsync(MonitoringStage.Batch(2, stage.Slice(20)))).Taken);
        var view = await stage.ViewAsync();
        Assert.Equal([2, 1], view.Versions.Select(version => version.Version));
        Assert.Equal((5, 30, 2), (view.Versions[0].Total.Requests, view.Versions[1].Total.Requests, view.Versions[1].Total.Bad[0]));
        Assert.Equal("g1", Assert.Single(view.Gateways).Gateway);
        Assert.Equal(0, view.Lost);
    }
}
