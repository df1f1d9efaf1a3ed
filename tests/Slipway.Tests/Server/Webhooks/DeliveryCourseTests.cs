using System.Net;
using Slipway.Server.Webhooks;

namespace Slipway.Tests.Server.Webhooks;

public class DeliveryCourseTests
{
    [Theory]
    [InlineData(500, 1, 0, false)]
    [InlineData(500, 1_000, 23.9, false)]
    [InlineData(500, 1_000, 24, true)]
    [InlineData(null, 1_000, 23.9, false)]
    [InlineData(null, 3, 24, true)]
    [InlineData(410, 1, 0, true)]
    [InlineData(400, 4, 0, false)]
    [InlineData(400, 5, 0, true)]
    [InlineData(404, 5, 0, true)]
    [InlineData(408, 5, 0, false)]
    [InlineData(425, 5, 0, false)]
    [InlineData(429, 500, 1, false)]
    [InlineData(302, 500, 1, false)]
    public void What_may_pass_is_tried_for_a_day_and_what_is_refused_a_few_times(int? status, int tries, double hours, bool givenUp) =>
        Assert.Equal(givenUp, DeliveryCourse.IsGivenUp(new((HttpStatusCode?)status, "no"), tries, TimeSpan.FromHours(hours)));

    [Theory]
    [InlineData(1, 0.5, 1)]
    [InlineData(2, 1, 2)]
    [InlineData(5, 8, 16)]
    [InlineData(10, 450, 900)]
    [InlineData(11, 450, 900)]
    [InlineData(int.MaxValue, 450, 900)]
    public void The_wait_doubles_up_to_a_quarter_of_an_hour_and_is_spread(int failures, double least, double most)
    {
        Assert.Equal(least, DeliveryCourse.Rest(failures, 0, null).TotalSeconds, 9);
        Assert.Equal(most, DeliveryCourse.Rest(failures, 1, null).TotalSeconds, 9);
    }

    [Fact]
    public void A_receiver_may_ask_for_a_longer_wait_and_for_no_endless_one()
    {
        Assert.Equal(60, DeliveryCourse.Rest(1, 1, TimeSpan.FromSeconds(60)).TotalSeconds);
        Assert.Equal(1, DeliveryCourse.Rest(1, 1, TimeSpan.FromSeconds(-5)).TotalSeconds);
        Assert.Equal(900, DeliveryCourse.Rest(1, 1, TimeSpan.FromDays(300)).TotalSeconds);
    }
}
