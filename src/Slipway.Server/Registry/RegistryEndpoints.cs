using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>All that the registry answers.</summary>
internal static class RegistryEndpoints
{
    /// <summary>Of the server's folder: where bundles lie. Servers of one database share it.</summary>
    private const string BundleFolder = "bundles";

    public static IEnumerable<ApiEndpoint> All(Database database, LedgerWriter ledger, ServerOptions options, ChannelReader channels, PlanFollower follow)
    {
        var store = BundleStore.Open(Path.Combine(options.Folder, BundleFolder), isShared: options.Database is not null);
        var plans = new PlanSetter(ledger, follow);
        return
        [
            .. new BlobEndpoints(database, store, options.Time).All(),
            .. new VersionEndpoints(database, new Registrar(database, ledger, store, plans, options.Time), channels).All(),
            .. new PlanEndpoints(database, plans, options.Time).All(),
            .. new PolicyEndpoints(database, ledger, options.Time).All(),
            .. new PromotionEndpoints(database, new Promotions(ledger, options.Time)).All(),
        ];
    }
}
